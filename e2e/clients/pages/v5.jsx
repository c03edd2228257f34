import * as library from "next-auth-5/react"
import { show } from "./app.jsx"

show(library)
