/** Hallpass, below the address of this application. */
export default defineEventHandler((event) =>
  proxyRequest(event, useRuntimeConfig(event).backend + event.path, {
    headers: publicAddress(event),
    fetchOptions: { redirect: "manual" },
  }),
)
