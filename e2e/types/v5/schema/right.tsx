import type { JWT } from "next-auth/jwt"
import { useSession } from "next-auth/react"
import type { HallpassSession, UpdateSession } from "./hallpass"

export function Profile() {
  const { data: session } = useSession()
  const update: UpdateSession = useSession().update
  if (!session) return null
  const role: "admin" | "manager" | "user" = session.user.role
  const isAdmin = session.user.role === "admin"
  const company: number | null | undefined = session.selectedCompanyId
  update({ companyId: 7 })
  return <p>{session.user.name} {session.user.avatar} {role} {String(isAdmin)} {company} {session.expires}</p>
}

export const isManager = (token: JWT): boolean => token.role === "manager" && token.sessionToken !== undefined

export const expires = (session: HallpassSession): Date => new Date(session.expires)
