import { useSession } from "next-auth/react"
import type { UpdateSession } from "./hallpass"

export function Wrong() {
  const { data: session } = useSession()
  const update: UpdateSession = useSession().update
  session?.user.role === "boss" // error: types 'Role | undefined' and '"boss"' have no overlap
  session?.role // error: Property 'role' does not exist on type 'Session'
  update({ role: "admin" }) // error: is not assignable to parameter of type 'undefined'
  return null
}
