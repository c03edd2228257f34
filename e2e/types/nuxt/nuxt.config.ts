export default defineNuxtConfig({
  modules: ["@sidebase/nuxt-auth"],
  auth: { provider: { type: "authjs" } },
  telemetry: false,
})
