import type { JWT } from "next-auth/jwt"
import { useSession } from "next-auth/react"
import type { UpdateSession } from "./hallpass"

export function Wrong() {
  const { data: session } = useSession()
  const update: UpdateSession = useSession().update
  session?.user.role === "boss" // error: types 'Role | undefined' and '"boss"' have no overlap
  session?.user.salary // error: Property 'salary' does not exist on type
  session?.companies // error: Property 'companies' does not exist on type 'Session'
  update({ companyId: "7" }) // error: Type 'string' is not assignable to type 'number'
  return null
}

export const isBoss = (token: JWT): boolean => token.role === "boss" // error: have no overlap
