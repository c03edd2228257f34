// One line of the block is repaired, since no engine runs it: a constant cannot have the name of an argument.
// `jwt` is the block before it.
// <seed 001_854e89290a0fc1d8 but "const token = token.sessionToken" is "const sessionToken = token.sessionToken" and "${token}" is "${sessionToken}">
import { NuxtAuthHandler } from '#auth'

export default NuxtAuthHandler({
  // your authentication configuration here!
  callbacks: {
    async session({ session, token }) {
      // Token we injected into the JWT callback above.
      const sessionToken = token.sessionToken

      // Fetch data OR add previous data from the JWT callback.
      const additionalUserData = await $fetch(`/api/session/${sessionToken}`)

      // Return the modified session
      return {
        ...session,
        user: {
          name: additionalUserData.name,
          avatar: additionalUserData.avatar,
          role: additionalUserData.role
        }
      }
    },
  }
})
// </seed>
