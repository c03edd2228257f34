import { getServerSession, getToken } from "#auth"

export default defineEventHandler(async event => {
  const [session, token] = [await getServerSession(event), await getToken({ event })]
  const company: number | null | undefined = token?.selectedCompanyId
  // @ts-expect-error: there is no such role
  const isBoss = token?.role === "boss"
  return { company, isBoss, isAdmin: token?.role === "admin", role: session?.user.role satisfies string | undefined }
})
