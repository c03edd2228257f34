/** Nothing below /api/members without a session. */
export default defineEventHandler(async (event) => {
  if (!event.path.startsWith("/api/members")) return
  event.context.session = await sessionOf(event)
  if (!event.context.session) throw createError({ statusCode: 401, statusMessage: "Sign in first" })
})
