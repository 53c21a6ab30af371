//! The grants, as requests to the token endpoint.

use std::sync::Arc;

use oauth2::{
    AuthType, ClientId, ClientSecret, RefreshToken, Scope, TokenUrl,
    basic::{BasicClient, BasicTokenResponse},
};
use secrecy::{ExposeSecret, SecretString};
use url::form_urlencoded;

use super::{
    AssertionSource, Granted, OAuth, OPERATION, RefreshTokenStore, SecretSource, endpoint::Endpoint,
};
use crate::{error::ConnectorError, request::Request};

const CLIENT_ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// What is traded for access tokens. Client id and secret travel in the form body, never in an address.
#[derive(Clone)]
pub enum Grant {
    /// The program's own rights (RFC 6749 §4.4).
    ClientCredentials {
        /// The program.
        client_id: String,
        /// How it proves that it is the program.
        proof: ClientProof,
        /// What for.
        scopes: Vec<String>,
    },
    /// The rights a user gave once (RFC 6749 §6).
    RefreshToken {
        /// The program.
        client_id: String,
        /// Its secret, if it has one.
        client_secret: Option<Arc<dyn SecretSource>>,
        /// What the user's consent gave.
        refresh_token: Arc<dyn SecretSource>,
        /// Where a token that took its place is kept between runs; without it, in memory only.
        store: Option<RefreshTokenStore>,
        /// What for; empty for all that was granted.
        scopes: Vec<String>,
    },
    /// A signed statement (RFC 7523 §2.1), as for service accounts.
    JwtBearer {
        /// Makes the statement.
        assertion: Arc<dyn AssertionSource>,
    },
    /// What the platform gives to whoever runs there, as metadata servers of clouds do: asked for with GET, without any secret.
    Ambient {
        /// Headers the service insists on.
        headers: Vec<(&'static str, String)>,
        /// Parameters of the query.
        query: Vec<(&'static str, String)>,
    },
}

/// How a program proves that it is one.
#[derive(Clone)]
pub enum ClientProof {
    /// A shared secret.
    Secret(Arc<dyn SecretSource>),
    /// A signed statement (RFC 7523 §2.2): its own, or one of an identity provider that is trusted for it.
    Assertion(Arc<dyn AssertionSource>),
}

impl OAuth {
    pub(super) async fn client_credentials(
        &self,
        client_id: &str,
        proof: &ClientProof,
        scopes: &[String],
    ) -> Result<Granted, ConnectorError> {
        let (secret, assertion) = match proof {
            ClientProof::Secret(secret) => (Some(self.read(secret.as_ref()).await?), None),
            ClientProof::Assertion(assertion) => (None, Some(assertion.assertion().await?)),
        };
        let client = client(client_id, secret.as_ref()).set_token_uri(self.token_uri());
        let mut request = client
            .exchange_client_credentials()
            .add_scopes(scopes.iter().cloned().map(Scope::new));
        if let Some(assertion) = assertion {
            request = request
                .add_extra_param("client_assertion_type", CLIENT_ASSERTION)
                .add_extra_param("client_assertion", assertion.expose_secret().to_owned());
        }
        let answer = request.request_async(&Endpoint(self)).await;
        self.granted(answer)
    }

    pub(super) async fn refresh(
        &self,
        client_id: &str,
        secret: Option<&SecretString>,
        refresh_token: &SecretString,
        scopes: &[String],
    ) -> Result<Granted, ConnectorError> {
        let client = client(client_id, secret).set_token_uri(self.token_uri());
        let refresh_token = RefreshToken::new(refresh_token.expose_secret().to_owned());
        let request = client
            .exchange_refresh_token(&refresh_token)
            .add_scopes(scopes.iter().cloned().map(Scope::new));
        let answer = request.request_async(&Endpoint(self)).await;
        self.granted(answer)
    }

    /// The one grant that the `oauth2` crate leaves out.
    pub(super) async fn jwt_bearer(&self, assertion: &SecretString) -> Result<Granted, ConnectorError> {
        let form = form_urlencoded::Serializer::new(String::new())
            .append_pair("grant_type", JWT_BEARER)
            .append_pair("assertion", assertion.expose_secret())
            .finish();
        let answer = self.post::<BasicTokenResponse>(form.into_bytes()).await?;
        Ok(Granted::from(&answer))
    }

    pub(super) async fn ambient(
        &self,
        headers: &[(&'static str, String)],
        query: &[(&'static str, String)],
    ) -> Result<Granted, ConnectorError> {
        let mut url = self.token_url.clone();
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let mut request = Request::get(OPERATION, url);
        request.headers = headers.to_vec();
        let (answer, _) = self.http.send_json::<BasicTokenResponse>(&request).await?;
        Ok(Granted::from(&answer))
    }

    fn token_uri(&self) -> TokenUrl {
        TokenUrl::from_url(self.token_url.clone())
    }
}

fn client(client_id: &str, secret: Option<&SecretString>) -> BasicClient {
    let client = BasicClient::new(ClientId::new(client_id.to_owned())).set_auth_type(AuthType::RequestBody);
    match secret {
        Some(secret) => client.set_client_secret(ClientSecret::new(secret.expose_secret().to_owned())),
        None => client,
    }
}
