import { useSession } from "next-auth/react"
import type { UpdateSession } from "./hallpass"

export function Wrong() {
  const { data: session } = useSession()
  const update: UpdateSession = useSession().update
  if (!session) return null
  session.user.salary // error: Property 'salary' does not exist on type
  session.user.role === 7 // error: have no overlap
  session.user.avatar.length // error: 'session.user.avatar' is possibly 'null'
  session.user.invitedBy.length // error: 'session.user.invitedBy' is possibly 'undefined'
  session.companies[0].title // error: Property 'title' does not exist
  update({ companyId: 7 }) // error: is not assignable to parameter of type
  return null
}
