// What is built goes to the folder `target` of Hallpass.
const built = `${process.env.HALLPASS_TARGET ?? "../../../target"}/e2e/clients-nuxt`

export default defineNuxtConfig({
  modules: ["@sidebase/nuxt-auth"],
  auth: { provider: { type: "authjs" } },
  runtimeConfig: { backend: "", secret: "" },
  nitro: { output: { dir: built } },
  telemetry: false,
  compatibilityDate: "2025-12-01",
})
