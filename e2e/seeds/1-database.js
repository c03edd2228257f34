const providers = []
export default {
session: { strategy: "database" },
// <seed 000_b80cf7c14417d091>
providers,
callbacks: {
session({ session, user }) {
session.user.id = user.id
return session
},
}
}
// </seed>
