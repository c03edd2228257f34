import type { H3Event } from "h3"

/** The session of whoever asks, or null: in place of getServerSession(), which knows no other server. */
export async function sessionOf(event: H3Event) {
  const answer = await $fetch.raw<{ user?: { id: string, role: string } } | null>("/api/auth/session", {
    baseURL: useRuntimeConfig(event).backend,
    headers: { cookie: getHeader(event, "cookie") ?? "", ...publicAddress(event) },
  })
  // A session that is used lives longer.
  for (const cookie of answer.headers.getSetCookie()) appendResponseHeader(event, "set-cookie", cookie)
  return answer._data?.user ? answer._data : null
}

/** For a server that was not told its `url`. */
export function publicAddress(event: H3Event) {
  const { host, protocol } = getRequestURL(event)
  return { "x-forwarded-host": host, "x-forwarded-proto": protocol.slice(0, -1) }
}
