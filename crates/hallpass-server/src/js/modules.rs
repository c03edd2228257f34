//! The modules that a configuration may import: they are inside the program, and there are no others.

use hallpass::providers::ALL;
use rquickjs::loader::{ImportAttributes, Loader, Resolver};
use rquickjs::module::Declared;
use rquickjs::{Ctx, Exception, Module, Result};

use crate::config::nearest;

/// Finds them.
#[derive(Debug)]
pub(super) struct Modules;

impl Resolver for Modules {
    fn resolve<'js>(
        &mut self,
        ctx: &Ctx<'js>,
        _: &str,
        name: &str,
        _: Option<ImportAttributes<'js>>,
    ) -> Result<String> {
        if source(name).is_some() {
            return Ok(name.to_owned());
        }
        let message = match provider(name) {
            Some(id) => {
                let hint = nearest(id, names()).map(|known| format!(": did you mean `{known}`?"));
                // What to write in its place is said where the line is known.
                format!("no provider {id:?} is known{}", hint.unwrap_or_default())
            }
            None => format!(
                "{name:?} cannot be imported: inside Hallpass are `next-auth`, `@auth/core`, `@auth/express`, `#auth` \
                 and the providers; put what else the callbacks need into this file"
            ),
        };
        Err(Exception::throw_reference(ctx, &message))
    }
}

impl Loader for Modules {
    fn load<'js>(
        &mut self,
        ctx: &Ctx<'js>,
        name: &str,
        _: Option<ImportAttributes<'js>>,
    ) -> Result<Module<'js, Declared>> {
        Module::declare(ctx.clone(), name, source(name).unwrap_or_default())
    }
}

fn source(name: &str) -> Option<String> {
    if let Some(id) = provider(name) {
        let kind = match id {
            "credentials" => "credentials",
            id if MAILS.contains(&id) => "email",
            _ => "oauth",
        };
        let known = names().any(|known| known == id);
        return known
            .then(|| format!("export default globalThis.__hallpass_modules.provider({id:?}, {kind:?})"));
    }
    Some(match name {
        "#auth" => AUTH_OF_NUXT.to_owned(),
        "next"
        | "next/server"
        | "next-auth/jwt"
        | "next-auth/adapters"
        | "@auth/core/types"
        | "@auth/core/jwt"
        | "@auth/core/adapters"
        | "@auth/core/providers"
        | "next-auth/providers" => "export {}".to_owned(),
        "next-auth" | "next-auth/next" | "@auth/core" | "@auth/core/errors" | "@auth/express"
        | "@auth/sveltekit" | "@auth/solid-start" | "@auth/qwik" => AUTH.to_owned(),
        _ => return None,
    })
}

fn provider(name: &str) -> Option<&str> {
    name.strip_prefix("@auth/core/providers/").or_else(|| name.strip_prefix("next-auth/providers/"))
}

fn names() -> impl Iterator<Item = &'static str> {
    ALL.iter().map(|spec| spec.id).chain(["credentials"]).chain(MAILS)
}

/// Those that mail links.
const MAILS: [&str; 8] =
    ["email", "nodemailer", "resend", "sendgrid", "postmark", "mailgun", "loops", "forwardemail"];

const AUTH: &str = "const m = globalThis.__hallpass_modules
export default m.NextAuth
export const NextAuth = m.NextAuth, Auth = m.NextAuth, ExpressAuth = m.NextAuth, SvelteKitAuth = m.NextAuth
export const SolidAuth = m.NextAuth, QwikAuth$ = m.NextAuth
export const AuthError = m.AuthError, CredentialsSignin = m.CredentialsSignin, AccessDenied = m.AccessDenied
export const getServerSession = m.elsewhere('getServerSession'), getSession = m.elsewhere('getSession')
export const customFetch = Symbol('customFetch')";

const AUTH_OF_NUXT: &str = "const m = globalThis.__hallpass_modules
export const NuxtAuthHandler = m.made
export const getServerSession = m.elsewhere('getServerSession'), getToken = m.elsewhere('getToken')";
