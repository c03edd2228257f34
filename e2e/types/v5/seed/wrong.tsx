// seed_2_9 seed_2_10: each of these lines must be refused, with this message.
import type { JWT } from "next-auth/jwt"
import { useSession } from "next-auth/react"

export function Wrong() {
  const { data } = useSession()
  data?.user.role === "boss" // error: types 'Role | undefined' and '"boss"' have no overlap
  data?.user.salary // error: Property 'salary' does not exist on type 'Person'
  return null
}

export const sent = (token: JWT): number => token.sessionToken.length // error: 'token.sessionToken' is possibly 'undefined'
