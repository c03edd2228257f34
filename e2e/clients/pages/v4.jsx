import * as library from "next-auth-4/react"
import { show } from "./app.jsx"

show(library)
