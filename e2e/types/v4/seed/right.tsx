// seed_2_9 seed_2_10: the declarations of the second seed, made of the types of examples/axum-session-recipes.
import type { JWT } from "next-auth/jwt"
import { useSession } from "next-auth/react"

export function Greeting() {
  const { data } = useSession()
  if (!data) return null
  const name: string = data.user.name
  const isAdmin = data.user.role === "admin"
  return <p title={data.user.avatar}>Hello, {name}. You have the role: {data.user.role}! {isAdmin}</p>
}

export const sent = (token: JWT): string | undefined => token.sessionToken
