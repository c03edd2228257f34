// Each of these lines must be refused, with this message.
import { getToken } from "next-auth/jwt"
import { useSession } from "next-auth/react"
import type { UpdateSession } from "./hallpass"

export function Wrong() {
  const { data: session } = useSession()
  const update: UpdateSession = useSession().update

  session?.user.role === "boss" // error: types 'Role | undefined' and '"boss"' have no overlap
  session?.user.salary // error: Property 'salary' does not exist on type 'User'
  session?.selected_company_id // error: Property 'selected_company_id' does not exist on type 'Session'
  session?.sessionToken // error: Property 'sessionToken' does not exist on type 'Session'
  session?.user.avatar.length // error: 'session.user.avatar' is possibly 'null'
  session?.user.name.length // error: 'session.user.name' is possibly 'undefined'
  session?.plan.seatCount // error: Property 'seatCount' does not exist on type '{ kind: "free"; }'
  update({ companyId: "7" }) // error: Type 'string' is not assignable to type 'number'
  update({ name: "Ada" }) // error: Property 'companyId' is missing
  update({ companyId: 7, role: "admin" }) // error: 'role' does not exist in type 'Update'
  return null
}

export async function wrongToken(request: any) {
  const token = await getToken({ req: request, secret: "secret" })
  token?.role === "boss" // error: types 'Role | undefined' and '"boss"' have no overlap
  token?.sessionToken.length // error: 'token.sessionToken' is possibly 'undefined'
}
