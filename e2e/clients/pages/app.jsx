// The same page for both libraries: what each of them shows is what useSession() says.
import { useState } from "react"
import { createRoot } from "react-dom/client"

export function show({ SessionProvider, useSession, signIn, signOut }) {
  function Page() {
    const { data, status, update } = useSession()
    const [result, setResult] = useState("")
    const tell = async (done) => {
      setResult("")
      setResult(JSON.stringify(await done) ?? "null")
    }
    const credentials = (password, username = "ada") => signIn("credentials", { redirect: false, username, password })
    return (
      <main>
        <p id="status">{status}</p>
        <pre id="session">{JSON.stringify(data)}</pre>
        <pre id="result">{result}</pre>
        <button onClick={() => tell(credentials("right"))}>Sign in</button>
        <button onClick={() => tell(credentials("right", "grace"))}>Sign in as Grace</button>
        <button onClick={() => signIn("email", { callbackUrl: location.pathname, email: "ada@example.com" })}>Mail a link</button>
        <button onClick={() => tell(credentials("wrong"))}>Wrong password</button>
        <button onClick={() => signIn("credentials", { callbackUrl: location.pathname, username: "ada", password: "right" })}>Sign in and go</button>
        <button onClick={() => signIn()}>Sign-in page</button>
        <button onClick={() => tell(update({ companyId: "globex" }))}>Change company</button>
        <button onClick={() => tell(update({ role: "owner" }))}>Change role</button>
        <button onClick={() => tell(update({ company: { id: "initech", role: ["owner", "buyer"] } }))}>Change much</button>
        <button onClick={() => tell(update({ companyId: "broken" }))}>Break</button>
        <button onClick={() => tell(fetch("/api/auth/session?companyId=hooli").then((answer) => answer.json()))}>Fetch company</button>
        <button onClick={() => tell(signOut({ redirect: false }))}>Sign out</button>
      </main>
    )
  }
  createRoot(document.getElementById("page")).render(<SessionProvider><Page /></SessionProvider>)
}
