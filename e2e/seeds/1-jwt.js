const providers = []
export default {
// <seed 000_b80cf7c14417d091>
providers,
callbacks: {
jwt({ token, user }) {
if (user) { // User is available during sign-in
token.id = user.id
}
return token
},
session({ session, token }) {
session.user.id = token.id
return session
},
},
}
// </seed>
