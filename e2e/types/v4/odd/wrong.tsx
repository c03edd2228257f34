import { useSession } from "next-auth/react"
import type { UpdateSession } from "./hallpass"

export function Wrong() {
  const { data: session } = useSession()
  const update: UpdateSession = useSession().update
  if (!session) return null
  session.secret // error: Property 'secret' does not exist
  session.until // error: Property 'until' does not exist
  session.state === "gone" // error: have no overlap
  session.user.name.length // error: 'session.user.name' is possibly 'undefined'
  session.user.email // error: Property 'email' does not exist
  session.user.level === "LOW" // error: types 'Level' and '"LOW"' have no overlap
  session.settings.darkMode // error: 'session.settings' is possibly 'null'
  update("everything") // error: is not assignable to parameter of type
  update({ both: { settings: {} } }) // error: Property 'level' is missing
  return null
}
