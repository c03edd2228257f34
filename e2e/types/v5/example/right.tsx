import { useSession } from "next-auth/react"
import type { UpdateSession } from "./hallpass"

export function Profile() {
  const { data: session } = useSession({ required: true })
  const update: UpdateSession = useSession().update
  if (!session) return null
  const canWrite = session.user.role === "admin"
  // @ts-expect-error: there is no such role
  const isBoss = session.user.role === "boss"
  // @ts-expect-error: the application takes no changes
  const wrong = () => update({ role: "admin" })
  return <p onClick={() => update()} onDoubleClick={wrong}>{session.user.name} {canWrite || isBoss}</p>
}
