export default {
callbacks: {
// <seed 002_6c41aca1ff9f312e>
async jwt({ token, user, account, }) {
  // This will only be true on the first login
  if (account && user) {
    return {
      ...token,
      user: {
        ...user, // make sure you don't store passwords in there
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

  return session
},
// </seed>
},
}
