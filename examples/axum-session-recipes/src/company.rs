//! A person picks a company, and every page knows it from then on.

use hallpass::{BoxError, Builder, Jwt, SessionEvent, Store, UserChange, ViewUser};
use serde::{Deserialize, Serialize};

#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Claims {
    pub selected_company_id: Option<String>,
    pub company_name: Option<String>,
}

/// What a page may ask for: `update({ companyId })`, or `GET /api/auth/session?companyId=…`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Update {
    pub company_id: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct View {
    pub user: ViewUser,
    pub selected_company_id: Option<String>,
    pub company_name: Option<String>,
}

/// The state of the callbacks is the store that keeps the users.
pub fn extend<S: Store + Clone>(builder: Builder<S>) -> Builder<S, Claims> {
    builder
        .jwt(async |event: Jwt<Claims, Update>, users: S| {
            Ok(match event {
                // What was picked before is in the user's row, by whichever provider they come now.
                Jwt::SignIn(it) => Some(it.user.parse()?),
                Jwt::Update(it) => {
                    // The best place to complete the data, and to ask whether this person may have it.
                    let id = it.update.company_id;
                    let name = company_name(&id).await?;
                    let row = UserChange::new().set("selectedCompanyId", id.as_str());
                    users.update_user(&it.user.id, row.set("companyName", name.as_deref())).await?;
                    Some(Claims { selected_company_id: Some(id), company_name: name })
                }
                Jwt::Read(it) => Some(it.claims),
            })
        })
        .update_from_query(["companyId"])
        .session(async |it: SessionEvent<Claims>, _| {
            let Claims { selected_company_id, company_name } = it.claims;
            Ok(View { user: it.user.public(), selected_company_id, company_name })
        })
}

/// A real application asks its database.
async fn company_name(id: &str) -> Result<Option<String>, BoxError> {
    Ok(match id {
        "acme" => Some("Acme Corporation".to_owned()),
        "globex" => Some("Globex".to_owned()),
        _ => None,
    })
}
