// What a configuration finds in its world, and how Hallpass calls it. Runs once per context, before the configuration.
(host, env) => {
  'use strict'
  const { parse, stringify } = JSON
  const isArray = Array.isArray
  const hop = Object.prototype.hasOwnProperty
  const { keys, getPrototypeOf: prototypeOf, prototype: plain } = Object
  const define = (name, value) =>
    Object.defineProperty(globalThis, name, { value, writable: true, configurable: true, enumerable: false })

  // --- waiting: whatever Hallpass does outside of the engine, by its number
  const waiting = new Map()
  const outside = (kind, argument) =>
    new Promise((resolve, reject) => waiting.set(host.begin(kind, argument), { resolve, reject }))

  const timers = new Map()
  const timer = (callback, delay, again, rest) => {
    if (typeof callback !== 'function') throw new TypeError('a timer takes a function')
    const id = timers.size + 1 + Math.floor(Math.random() * 1e9)
    const run = () =>
      outside('sleep', String(Math.max(0, Number(delay) || 0))).then(() => {
        if (!timers.has(id)) return
        if (!again) timers.delete(id)
        callback(...rest)
        if (again) run()
      })
    timers.set(id, true)
    run()
    return id
  }
  define('setTimeout', (callback, delay, ...rest) => timer(callback, delay, false, rest))
  define('setInterval', (callback, delay, ...rest) => timer(callback, delay, true, rest))
  define('clearTimeout', (id) => void timers.delete(id))
  define('clearInterval', (id) => void timers.delete(id))
  if (typeof queueMicrotask === 'undefined') define('queueMicrotask', (task) => void Promise.resolve().then(task))

  // --- console: what its name may call a secret is not printed, nor are secrets of the environment
  const HIDDEN = '(hidden)'
  const environment = parse(env)
  // An address is one if there is more in it than host and path: `smtp://user:password@host`, `https://host/?key=…`.
  const isSecret = (name, value) => host.soundsSecret(name) || /DSN|WEBHOOK/i.test(name) ||
    (/URL|URI|SERVER|CONNECTION/i.test(name) && /[@?;=]/.test(value))
  // As a text, in JSON, and in JSON that is a text of JSON.
  const inJson = (text) => stringify(text).slice(1, -1)
  const secrets = keys(environment)
    .filter((name) => environment[name].length >= 8 && isSecret(name, environment[name]))
    .flatMap((name) => [environment[name], inJson(environment[name]), inJson(inJson(environment[name]))])
    .sort((one, other) => other.length - one.length)
  const isOpen = (value) => value !== null && typeof value === 'object' && (isArray(value) || prototypeOf(value) === plain)
  const hide = (name, value) => {
    if (value === null || value === undefined || typeof value === 'boolean' || !host.soundsSecret(name)) return value
    if (isArray(value)) return value.map((item) => (isOpen(item) ? item : HIDDEN))
    // What stands in an object has names of its own.
    return isOpen(value) && !host.isSecret(name) ? value : HIDDEN
  }
  const show = (value) => {
    if (typeof value === 'string') return value
    if (value instanceof Error) return value.stack ? `${value}\n${value.stack}` : `${value}`
    if (typeof value === 'function') return `[function ${value.name}]`
    try {
      return stringify(value, hide) ?? String(value)
    } catch {
      return String(value)
    }
  }
  const logs = (level) => (...values) =>
    host.log(level, secrets.reduce((text, secret) => text.split(secret).join(HIDDEN), values.map(show).join(' ')))
  const console = {}
  for (const [name, level] of [['error', 'error'], ['warn', 'warn'], ['info', 'info'], ['log', 'info'],
    ['debug', 'debug'], ['trace', 'debug'], ['dir', 'info'], ['table', 'info']]) console[name] = logs(level)
  define('console', console)

  // --- the environment
  define('process', { env: environment, nextTick: (task, ...rest) => queueMicrotask(() => task(...rest)) })

  // --- text and bytes
  class TextEncoder {
    get encoding() { return 'utf-8' }
    encode(text = '') { return new Uint8Array(host.encode(String(text))) }
  }
  class TextDecoder {
    get encoding() { return 'utf-8' }
    decode(bytes) {
      if (bytes === undefined) return ''
      const view = bytes instanceof ArrayBuffer ? new Uint8Array(bytes) : new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
      return host.decode(Array.from(view))
    }
  }
  define('TextEncoder', TextEncoder)
  define('TextDecoder', TextDecoder)
  const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
  const invalid = (text) => {
    const error = new Error(text)
    error.name = 'InvalidCharacterError'
    return error
  }
  if (typeof btoa === 'undefined') {
    define('btoa', (data) => {
      const text = String(data)
      let out = ''
      for (let i = 0; i < text.length; i += 3) {
        const [a, b, c] = [text.charCodeAt(i), text.charCodeAt(i + 1), text.charCodeAt(i + 2)]
        if (a > 255 || b > 255 || c > 255) throw invalid('btoa takes only characters up to U+00FF')
        const bits = (a << 16) | ((b || 0) << 8) | (c || 0)
        out += ALPHABET[bits >> 18] + ALPHABET[(bits >> 12) & 63] +
          (i + 1 < text.length ? ALPHABET[(bits >> 6) & 63] : '=') + (i + 2 < text.length ? ALPHABET[bits & 63] : '=')
      }
      return out
    })
  }
  if (typeof atob === 'undefined') {
    define('atob', (data) => {
      const text = String(data).replace(/[\t\n\f\r ]/g, '').replace(/={1,2}$/, '')
      if (text.length % 4 === 1 || /[^A-Za-z0-9+/]/.test(text)) throw invalid('atob was given no Base64')
      let out = '', bits = 0, count = 0
      for (const c of text) {
        bits = (bits << 6) | ALPHABET.indexOf(c)
        count += 6
        if (count >= 8) {
          count -= 8
          out += String.fromCharCode((bits >> count) & 255)
        }
      }
      return out
    })
  }
  define('crypto', {
    randomUUID: () => host.uuid(),
    getRandomValues(view) {
      const bytes = host.random(view.byteLength)
      new Uint8Array(view.buffer, view.byteOffset, view.byteLength).set(bytes)
      return view
    },
  })
  if (typeof structuredClone === 'undefined') {
    const clone = (value, seen) => {
      if (typeof value === 'function' || typeof value === 'symbol') throw new TypeError('a function cannot be cloned')
      if (value === null || typeof value !== 'object') return value
      if (seen.has(value)) return seen.get(value)
      const keep = (copy) => (seen.set(value, copy), copy)
      if (value instanceof Date) return keep(new Date(value))
      if (value instanceof RegExp) return keep(new RegExp(value))
      if (value instanceof Map) {
        const copy = keep(new Map())
        for (const [key, item] of value) copy.set(clone(key, seen), clone(item, seen))
        return copy
      }
      if (value instanceof Set) {
        const copy = keep(new Set())
        for (const item of value) copy.add(clone(item, seen))
        return copy
      }
      if (ArrayBuffer.isView(value)) return keep(value.slice())
      if (isArray(value)) {
        const copy = keep([])
        for (const item of value) copy.push(clone(item, seen))
        return copy
      }
      const copy = keep(value instanceof Error ? new value.constructor(value.message) : {})
      for (const key of Object.keys(value)) Object.defineProperty(copy, key, { value: clone(value[key], seen), writable: true, enumerable: true, configurable: true })
      return copy
    }
    define('structuredClone', (value) => clone(value, new Map()))
  }

  // --- addresses
  class URLSearchParams {
    #pairs = []
    #changed
    constructor(init = '', changed) {
      this.#changed = changed
      if (typeof init === 'string') this.#pairs = host.query(init.startsWith('?') ? init.slice(1) : init)
      else if (init && typeof init[Symbol.iterator] === 'function') for (const [key, value] of init) this.#pairs.push([String(key), String(value)])
      else for (const key of Object.keys(init ?? {})) this.#pairs.push([key, String(init[key])])
    }
    #touch() { this.#changed?.(this.toString()) }
    append(key, value) { this.#pairs.push([String(key), String(value)]); this.#touch() }
    delete(key) { this.#pairs = this.#pairs.filter(([name]) => name !== key); this.#touch() }
    get(key) { return this.#pairs.find(([name]) => name === key)?.[1] ?? null }
    getAll(key) { return this.#pairs.filter(([name]) => name === key).map(([, value]) => value) }
    has(key) { return this.#pairs.some(([name]) => name === key) }
    set(key, value) {
      const at = this.#pairs.findIndex(([name]) => name === key)
      if (at < 0) this.#pairs.push([String(key), String(value)])
      else {
        this.#pairs[at] = [String(key), String(value)]
        this.#pairs = this.#pairs.filter(([name], index) => index <= at || name !== key)
      }
      this.#touch()
    }
    sort() { this.#pairs.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)); this.#touch() }
    get size() { return this.#pairs.length }
    forEach(callback) { for (const [key, value] of this.#pairs) callback(value, key, this) }
    *entries() { yield* this.#pairs.map(([key, value]) => [key, value]) }
    *keys() { for (const [key] of this.#pairs) yield key }
    *values() { for (const [, value] of this.#pairs) yield value }
    [Symbol.iterator]() { return this.entries() }
    toString() { return host.unquery(this.#pairs) }
  }
  class URL {
    #parts
    #params
    constructor(url, base) {
      const parts = host.url(String(url), base === undefined ? undefined : String(base))
      if (!parts) {
        const error = new TypeError('Invalid URL')
        error.code = 'ERR_INVALID_URL'
        throw error
      }
      this.#parts = parse(parts)
    }
    static canParse(url, base) { return host.url(String(url), base === undefined ? undefined : String(base)) != null }
    get searchParams() {
      return (this.#params ??= new URLSearchParams(this.#parts.search, (query) => this.#put('search', query)))
    }
    #put(part, value) { this.#parts = parse(host.urlWith(this.#parts.href, part, String(value)) ?? stringify(this.#parts)) }
    static {
      for (const part of ['href', 'protocol', 'host', 'hostname', 'port', 'pathname', 'search', 'hash', 'username', 'password'])
        Object.defineProperty(this.prototype, part, {
          get() { return this.#parts[part] },
          set(value) { this.#put(part, value); this.#params = undefined },
          enumerable: true, configurable: true,
        })
    }
    get origin() { return this.#parts.origin }
    toString() { return this.#parts.href }
    toJSON() { return this.#parts.href }
  }
  define('URL', URL)
  define('URLSearchParams', URLSearchParams)

  // --- the network
  class Headers {
    #all = new Map()
    constructor(init) {
      if (!init) return
      const pairs = init instanceof Headers || isArray(init) ? [...init] : Object.entries(init)
      for (const [name, value] of pairs) this.append(name, value)
    }
    append(name, value) {
      const key = String(name).toLowerCase()
      this.#all.set(key, this.#all.has(key) ? `${this.#all.get(key)}, ${value}` : String(value))
    }
    set(name, value) { this.#all.set(String(name).toLowerCase(), String(value)) }
    get(name) { return this.#all.get(String(name).toLowerCase()) ?? null }
    has(name) { return this.#all.has(String(name).toLowerCase()) }
    delete(name) { this.#all.delete(String(name).toLowerCase()) }
    forEach(callback) { for (const [name, value] of this) callback(value, name, this) }
    entries() { return this.#all.entries() }
    keys() { return this.#all.keys() }
    values() { return this.#all.values() }
    [Symbol.iterator]() { return this.#all.entries() }
  }
  class Response {
    #body
    #used = false
    constructor(body = '', init = {}) {
      this.#body = body === null ? '' : String(body)
      this.status = init.status ?? 200
      this.statusText = init.statusText ?? ''
      this.headers = new Headers(init.headers)
      this.ok = this.status >= 200 && this.status < 300
      this.url = init.url ?? ''
      this.redirected = init.redirected ?? false
      this.type = 'basic'
    }
    get bodyUsed() { return this.#used }
    async text() {
      if (this.#used) throw new TypeError('the body has been read already')
      this.#used = true
      return this.#body
    }
    async json() { return parse(await this.text()) }
    async arrayBuffer() { return new TextEncoder().encode(await this.text()).buffer }
    clone() { return new Response(this.#body, this) }
    static json(data, init = {}) {
      return new Response(stringify(data), { ...init, headers: { 'content-type': 'application/json', ...init.headers } })
    }
  }
  class Request {
    constructor(input, init = {}) {
      const from = input instanceof Request ? input : {}
      this.url = input instanceof Request ? input.url : String(input)
      this.method = String(init.method ?? from.method ?? 'GET').toUpperCase()
      this.headers = new Headers(init.headers ?? from.headers)
      this.body = init.body ?? from.body ?? null
      this.redirect = init.redirect ?? from.redirect ?? 'follow'
    }
  }
  // What fails after waiting says where it was asked for: the engine forgets that.
  const from = (place, promise) => promise.catch((error) => {
    if (error instanceof Error) Object.defineProperty(error, 'stack', { value: `${error.stack ?? ''}\n${place}`, writable: true, configurable: true })
    throw error
  })
  // Errors that say that a server is away. Whoever throws one on, as it is or as a cause, has decided nothing.
  const unreachable = new WeakSet()
  const isUnreachable = (error, depth = 0) => {
    try {
      if (error === null || typeof error !== 'object' || depth > 8) return false
      if (unreachable.has(error) || isUnreachable(error.cause, depth + 1)) return true
      return error instanceof AggregateError && error.errors.length > 0 && error.errors.every((it) => isUnreachable(it, depth + 1))
    } catch {
      return false
    }
  }
  const fetch = (input, init) => from(new Error().stack, sendOut(input, init))
  const sendOut = async (input, init) => {
    const request = new Request(input, init)
    let { body } = request
    if (body instanceof URLSearchParams) {
      if (!request.headers.has('content-type')) request.headers.set('content-type', 'application/x-www-form-urlencoded;charset=UTF-8')
      body = body.toString()
    } else if (body !== null && typeof body !== 'string') {
      if (!ArrayBuffer.isView(body) && !(body instanceof ArrayBuffer)) throw new TypeError('the body of a request is a text, bytes or URLSearchParams')
      body = new TextDecoder().decode(body)
    }
    const answer = parse(await outside('fetch', stringify({
      url: request.url, method: request.method, headers: [...request.headers], body, redirect: request.redirect,
    })))
    if (answer.failed) {
      const error = new TypeError(`fetch failed: ${answer.failed}`)
      if (answer.unreachable) unreachable.add(error)
      throw error
    }
    return new Response(answer.body, answer)
  }
  define('Headers', Headers)
  define('Response', Response)
  define('Request', Request)
  define('fetch', fetch)

  // As Nuxt has it: JSON in and out, an error for what is not 2xx.
  class FetchError extends Error {
    constructor(method, url, response, data) {
      // Without the address, which may hold a token and would stand in the log.
      super(`[${method}] ${response.status} ${response.statusText}`.trimEnd())
      Object.defineProperty(this, 'request', { value: url })
      this.name = 'FetchError'
      this.status = this.statusCode = response.status
      this.statusText = this.statusMessage = response.statusText
      this.data = data
      this.response = response
    }
  }
  const readAs = async (response, type) => {
    const text = await response.text()
    if (type === 'text') return text
    if (text === '') return undefined
    if (type === 'json') return parse(text)
    try {
      return parse(text)
    } catch {
      return text
    }
  }
  const rawFetch = async (url, options = {}, defaults = {}) => {
    const all = { ...defaults, ...options }
    const method = String(all.method ?? 'GET').toUpperCase()
    const headers = new Headers(all.headers)
    let body = all.body ?? null
    if (body !== null && typeof body === 'object' && !(body instanceof URLSearchParams) && !ArrayBuffer.isView(body)) {
      body = stringify(body)
      if (!headers.has('content-type')) headers.set('content-type', 'application/json')
    }
    if (!headers.has('accept')) headers.set('accept', 'application/json')
    let address = String(url)
    if (all.baseURL) address = `${String(all.baseURL).replace(/\/$/, '')}/${address.replace(/^\//, '')}`
    const query = all.query ?? all.params
    if (query) {
      const params = new URLSearchParams()
      for (const key of Object.keys(query)) if (query[key] !== undefined) params.append(key, query[key])
      if (params.size) address += (address.includes('?') ? '&' : '?') + params
    }
    const response = await fetch(address, { method, headers, body })
    response._data = await readAs(response, all.responseType)
    if (!response.ok && !all.ignoreResponseError) throw new FetchError(method, url, response, response._data)
    return response
  }
  const dollarFetch = (defaults) => Object.assign((url, options) => from(new Error().stack, rawFetch(url, options, defaults).then((response) => response._data)), {
    raw: (url, options) => from(new Error().stack, rawFetch(url, options, defaults)),
    create: (more) => dollarFetch({ ...defaults, ...more }),
    native: fetch,
  })
  define('$fetch', dollarFetch({}))
  define('FetchError', FetchError)

  // --- next-auth, @auth/*, #auth
  const MADE = Symbol('hallpass')
  let last
  const made = (options) => {
    const handler = () => { throw new Error('Hallpass answers the requests: there is no handler to call') }
    last = Object.assign(() => handler(), { [MADE]: { options }, handlers: { GET: handler, POST: handler }, auth: handler, signIn: handler, signOut: handler, GET: handler, POST: handler })
    return last
  }
  const NextAuth = (...all) => made(all[Math.min(all.length, 3) - 1])
  const provider = (id, type) => {
    const make = (options = {}) => ({ id, type, options, [MADE]: { provider: id } })
    // What some bundlers hand to Nuxt.
    make.default = make
    return Object.assign(make, { [MADE]: { provider: id, type } })
  }
  class AuthError extends Error {
    constructor(message, options) {
      super(typeof message === 'string' ? message : '', options)
      this.type = this.constructor.type ?? 'AuthError'
      this.name = this.type
    }
  }
  class CredentialsSignin extends AuthError {
    static type = 'CredentialsSignin'
    code = 'credentials'
  }
  class AccessDenied extends AuthError { static type = 'AccessDenied' }
  const elsewhere = (name) => () => { throw new Error(`${name} is for the application: callbacks are given the session and the token`) }
  Object.defineProperty(globalThis, '__hallpass_modules', {
    value: Object.freeze({ NextAuth, made, provider, AuthError, CredentialsSignin, AccessDenied, elsewhere }),
  })

  // --- which of all that a file exports is the configuration
  let source
  let fixed
  const isThenable = (it) => it !== null && typeof it === 'object' && typeof it.then === 'function'
  const NAMES = ['authOptions', 'authConfig', 'options', 'config', 'AUTH_CONFIG']
  const configure = (exports) => {
    for (const name of ['default', ...NAMES]) {
      const it = exports[name]
      if (it !== undefined && (typeof it === 'function' || (it !== null && typeof it === 'object'))) {
        source = it
        break
      }
    }
    source ??= last
    if (source === undefined) throw new Error(`nothing is exported that could be the configuration`)
    const direct = source[MADE] ? source[MADE].options : source
    if (typeof direct !== 'function') fixed = direct
    // The file may set variables while it is loaded; what a call set, the next one would find.
    Object.freeze(process.env)
    Object.freeze(process)
    Object.defineProperty(globalThis, 'process', { writable: false, configurable: false })
    return fixed === undefined
  }
  const response = () => new Proxy(() => undefined, { get: (target, name, self) => (name === 'then' ? undefined : name === Symbol.toPrimitive ? () => '' : self), apply: (target, self) => self })
  const optionsFor = (request) => {
    if (fixed !== undefined) return fixed
    const settle = (it) => {
      if (isThenable(it)) return it.then(settle)
      if (it?.[MADE]) return settle(it[MADE].options)
      if (typeof it === 'function') return settle(it(request, response()))
      if (it === null || typeof it !== 'object') throw new Error('the function of the configuration returned no options')
      return it
    }
    return settle(source)
  }

  // --- what is needed before the first request, as JSON
  const own = (provider) => {
    let it = provider
    if (typeof it === 'function') it = it[MADE] ? it() : it({})
    if (it === null || typeof it !== 'object') throw new Error('a provider is neither an object nor a function')
   
    const id = it.options?.id ?? it.id
    const merged = { ...it, ...it.options, id, known: Boolean(it[MADE]) }
    delete merged.options
    return merged
  }
  const functions = (it, names) => names.filter((name) => typeof it?.[name] === 'function')
  const describe = (options) => {
    const providers = (options.providers ?? []).map(own)
    return stringify({
      keys: Object.keys(options).filter((key) => options[key] !== undefined),
      callbacks: Object.keys(options.callbacks ?? {}).filter((key) => options.callbacks[key] !== undefined),
      events: Object.keys(options.events ?? {}).filter((key) => options.events[key] !== undefined),
      settings: {
        pages: options.pages, session: options.session, theme: options.theme, secret: options.secret, jwt: options.jwt,
        trustHost: options.trustHost, useSecureCookies: options.useSecureCookies, cookies: options.cookies,
        basePath: options.basePath, debug: options.debug, redirectProxyUrl: options.redirectProxyUrl,
      },
      providers: providers.map((it) => ({ ...it, functions: functions(it, Object.keys(it)) })),
    })
  }

  // --- a request, as Next's API routes have it
  const request = (text) => {
    const it = parse(text)
    let cookies
    Object.defineProperty(it, 'cookies', {
      enumerable: true, configurable: true,
      get: () => (cookies ??= Object.fromEntries((it.headers.cookie ?? '').split('; ').filter(Boolean).map((pair) => {
        const at = pair.indexOf('=')
        return at < 0 ? [pair, ''] : [pair.slice(0, at), pair.slice(at + 1)]
      }))),
    })
    Object.defineProperty(it, 'nextUrl', { configurable: true, get: () => new URL(it.absolute) })
    const { headers } = it
    Object.defineProperty(headers, 'get', { configurable: true, value: (name) => headers[String(name).toLowerCase()] ?? null })
    Object.defineProperty(it, 'body', { value: undefined, enumerable: true, configurable: true })
    return it
  }

  // --- calling
  const kinds = {
    describe: (options) => describe(options),
    jwt: (options, argument) => options.callbacks.jwt(argument),
    session: (options, argument) => options.callbacks.session(argument),
    signIn: (options, argument) => options.callbacks.signIn(argument),
    redirect: (options, argument) => options.callbacks.redirect(argument),
    event: (options, argument) => options.events[argument.name](argument.message),
    authorize: (options, argument, request) => options.providers.map(own).find((it) => it.id === argument.id)
      .authorize(argument.credentials, request),
    profile: (options, argument) => options.providers.map(own).find((it) => it.id === argument.id)
      .profile(argument.profile, argument.tokens ?? {}),
  }
  const encode = (value) => {
    if (value === undefined) return 'undefined'
    return stringify(value) ?? 'undefined'
  }

  // --- reads, which are most calls: what did not change is not written and read again
  let kept
  const isAsKept = (value) => {
    if (value === null || typeof value !== 'object' || prototypeOf(value) !== plain) return false
    const names = keys(value)
    const { length } = names
    if (length !== keys(kept).length) return false
    for (let at = 0; at < length; at++) {
      const name = names[at]
      if (value[name] !== kept[name]) return false
    }
    return true
  }
  const encodeToken = (value) => {
    if (isAsKept(value)) return ''
    kept = undefined
    return encode(value)
  }
  const ofRead = (tokenText) => {
    const token = parse(tokenText)
    kept = { ...token }
    return { token }
  }
  const ofSession = (tokenText, expires) => {
    const token = tokenText === '' ? kept : parse(tokenText)
    kept = undefined
    const user = {}
    if (typeof token.name === 'string') user.name = token.name
    if (typeof token.email === 'string') user.email = token.email
    if (typeof token.picture === 'string') user.image = token.picture
    return { session: { user, expires }, token }
  }

  let settled
  const call = (kind, it, requestText, write) => {
    settled = undefined
    const run = kinds[kind]
    const req = requestText === '' ? undefined : request(requestText)
    const options = optionsFor(req)
    const result = isThenable(options) ? options.then((options) => run(options, it, req)) : run(options, it, req)
    if (!isThenable(result)) return write(result)
    result.then(
      (value) => { settled = { value: write(value) } },
      (error) => { settled = { error } },
    ).then(undefined, (error) => { settled = { error } })
    return null
  }
  const asIs = (value) => value
  const start = (kind, requestText, argumentText) => {
    kept = undefined
    return call(kind, parse(argumentText), requestText, kind === 'describe' ? asIs : encode)
  }
  const startRead = (requestText, tokenText) => call('jwt', ofRead(tokenText), requestText, encodeToken)
  const startShow = (requestText, tokenText, expires) => call('session', ofSession(tokenText, expires), requestText, encode)
  const look = () => {
    if (settled === undefined) return null
    const { error, value } = settled
    if (hop.call(settled, 'error')) throw error
    return value
  }
  const finish = (id, failed, text) => {
    const it = waiting.get(id)
    waiting.delete(id)
    if (failed) it?.reject(new Error(text))
    else it?.resolve(text)
  }
  const forget = () => {
    kept = undefined
    waiting.clear()
    timers.clear()
    settled = undefined
  }

  // --- no call may change what the next one stands on
  const mendable = [
    [Object.prototype, ['constructor', 'toString', 'toLocaleString', 'valueOf', 'hasOwnProperty']],
    [Function.prototype, ['constructor', 'toString', 'call', 'apply', 'bind']],
    ...[Error, TypeError, RangeError, SyntaxError, ReferenceError, EvalError, URIError, AggregateError].map((it) => [it.prototype, ['constructor', 'name', 'message', 'toString']]),
  ]
  const freeze = () => {
    for (const [prototype, names] of mendable) {
      for (const name of names) {
        const before = Object.getOwnPropertyDescriptor(prototype, name)
        if (!before || !('value' in before) || !before.configurable) continue
        const { value } = before
        Object.defineProperty(prototype, name, {
          get() { return value },
          set(it) {
            if (this === prototype) throw new TypeError(`${name} of what everything inherits from cannot be changed`)
            Object.defineProperty(this, name, { value: it, writable: true, enumerable: true, configurable: true })
          },
          enumerable: before.enumerable, configurable: false,
        })
      }
    }
    const seen = new Set()
    const all = Object.getOwnPropertyNames(globalThis)
      .map((name) => Object.getOwnPropertyDescriptor(globalThis, name)?.value)
      .filter((it) => typeof it === 'function' || (typeof it === 'object' && it !== null && it !== globalThis && it !== process))
    const generators = [async () => {}, function* () {}, async function* () {}].flatMap((it) => [Object.getPrototypeOf(it), Object.getPrototypeOf(it.prototype ?? {})])
    const iterators = [[][Symbol.iterator](), new Map()[Symbol.iterator](), new Set()[Symbol.iterator](), ''[Symbol.iterator]()].map((it) => Object.getPrototypeOf(it))
    for (const it of [...all, ...all.map((it) => it.prototype), ...generators, ...iterators, Object.getPrototypeOf(Uint8Array), Object.getPrototypeOf(Uint8Array)?.prototype]) {
      if (it === null || (typeof it !== 'object' && typeof it !== 'function') || seen.has(it)) continue
      seen.add(it)
      Object.freeze(it)
    }
    // Names of the world stay what they are; the configuration may add its own.
    for (const name of Object.getOwnPropertyNames(globalThis)) {
      const property = Object.getOwnPropertyDescriptor(globalThis, name)
      if (property.configurable && 'value' in property && name !== 'process') Object.defineProperty(globalThis, name, { ...property, writable: false, configurable: false })
    }
  }
  return { configure, isUnreachable, start, startRead, startShow, look, finish, forget, freeze }
}
