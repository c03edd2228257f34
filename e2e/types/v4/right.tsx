import type { Session, User } from "next-auth"
import type { JWT } from "next-auth/jwt"
import { getToken } from "next-auth/jwt"
import { useSession } from "next-auth/react"
import type { UpdateSession } from "./hallpass"

export function Profile() {
  const { data: session, status } = useSession()
  const update: UpdateSession = useSession().update
  if (status !== "authenticated") return <p>Nobody is signed in.</p>

  const role: "admin" | "manager" | "user" = session.user.role
  const isAdmin = session.user.role === "admin"
  // @ts-expect-error: there is no such role
  const isBoss = session.user.role === "boss"
  // @ts-expect-error: the view does not show it
  session.user.salary
  // @ts-expect-error: it is private
  session.sessionToken
  // @ts-expect-error: it may be null
  session.user.avatar.length

  return (
    <ul>
      <li>{session.user.name}, {session.user.avatar ?? "no picture"}, {role}, {isAdmin || isBoss}</li>
      <li>{new Date(session.expires).toLocaleString()}</li>
      {session.companies.map(company => <li key={company.id}>{company.name}</li>)}
      <li>{session.plan.kind === "paid" ? session.plan.seatCount : "free"}</li>
      <button onClick={() => update({ companyId: session.companies[0].id })}>Change</button>
      <button onClick={() => update({ companyId: 7, name: "Ada" }).then(it => it?.user.role)}>Rename</button>
      <button onClick={() => update()}>Refresh</button>
      {/* @ts-expect-error: an id is a number */}
      <button onClick={() => update({ companyId: "7" })}>Wrong</button>
      {/* @ts-expect-error: nobody may change it */}
      <button onClick={() => update({ companyId: 7, role: "admin" })}>Wrong</button>
    </ul>
  )
}

export function token(token: JWT, user: User): number | null {
  const sent: string | undefined = token.sessionToken
  // @ts-expect-error: there is no such role
  const isBoss = token.role === "boss"
  // @ts-expect-error: there is no such role
  const isAlsoBoss = user.role === "boss"
  return sent || isBoss || isAlsoBoss ? token.selectedCompanyId : null
}

export async function server(request: Request): Promise<boolean> {
  const token = await getToken({ req: request, secret: "secret" })
  return token?.role === "manager"
}

/** `satisfies`: a session is what the server sends. */
export const example = {
  user: { id: "1", name: "Ada", avatar: null, role: "user" },
  companies: [{ id: 1, name: "Engines" }],
  selectedCompanyId: null,
  plan: { kind: "paid", seatCount: 3 },
  expires: "2030-01-01T00:00:00.000Z",
} satisfies Session
