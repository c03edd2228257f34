import type { JWT } from "next-auth/jwt"
import { useSession } from "next-auth/react"
import type { HallpassClaims, HallpassSession, UpdateSession } from "./hallpass"

export function Odd() {
  const { data: session } = useSession()
  const update: UpdateSession = useSession().update
  if (!session) return null
  const until = (shown: HallpassSession) => (shown.state === "busy" ? shown.until : null)
  const children: number = session.tree.children.length + session.pair[0] + session["2nd"][1]
  const anything: unknown = session.anything
  const lowest = session.user.level === "VERY_LOW" || session.many.some(level => level === "HIGH")
  // A field that may be left out, as next-auth reads the session.
  const zone: string | undefined = session.settings?.timeZone ?? session.absent?.timeZone
  update({ settings: { darkMode: true, timeZone: null } })
  update({ both: { settings: {}, level: "HIGH" } })
  update("nothing")
  return <p>{session.state} {session.since} {session.user.number} {lowest} {children} {zone} {String(anything)} {until.name}</p>
}

export const tenant = (token: JWT & HallpassClaims): string => token["x-tenant"]
