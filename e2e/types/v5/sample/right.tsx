import { useSession } from "next-auth/react"

export function Profile() {
  const { data: session } = useSession()
  if (!session) return null
  const avatar: string | null = session.user.avatar
  const invitedBy: string | undefined = session.user.invitedBy
  const since: number | undefined = session.companies[0]?.since
  const isAdmin = session.user.role === "admin"
  return <p>{session.user.name.length} {avatar} {invitedBy} {since} {String(isAdmin)} {session.selectedCompanyId}</p>
}
