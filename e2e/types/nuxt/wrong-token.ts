import { getServerSession, getToken } from "#auth"

export default defineEventHandler(async event => {
  const [session, token] = [await getServerSession(event), await getToken({ event })]
  token?.role === "boss" // error: types 'Role | undefined' and '"boss"' have no overlap
  session?.user.role === "boss" // error: types 'Role | undefined' and '"boss"' have no overlap
  token?.sessionToken.length // error: 'token.sessionToken' is possibly 'undefined'
})
