import { getToken } from "#auth"

export default defineEventHandler((event) => getToken({ event, secret: useRuntimeConfig(event).secret }))
