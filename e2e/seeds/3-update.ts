import type { NextApiRequest } from "next"
import type { AuthOptions } from "next-auth"

export default (req: NextApiRequest): AuthOptions => ({
callbacks: {
// <seed 002_6c41aca1ff9f312e>
async jwt({ token, user, account, }) {
  // If the specific query param(s) exist(s), we know it's
  // an update. So we add it to the token
  // This is the best place to make an API request so you
  // can complete the data
  if (req.query?.companyId) {
    token.selectedCompanyId = req.query.companyId as string
  }

  // This will only be true on the first login
  if (account && user) {
    return {
      ...token,
      user: {
        ...user,
        account,
      },
    }
  }

  return token
},
// </seed>
// <seed 002_6c41aca1ff9f312e>
async session({ session, token, }) {
  session.user = token.user
  session.selectedCompanyId = token.selectedCompanyId // you could also add it to the `token.user` object from the `jwt` callback

  return session
},
// </seed>
},
})
