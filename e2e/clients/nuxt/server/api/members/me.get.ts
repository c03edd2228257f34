export default defineEventHandler((event) => event.context.session.user)
