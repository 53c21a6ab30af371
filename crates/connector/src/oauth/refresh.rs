//! The grant whose secret changes: refresh tokens, and what becomes of those the provider replaces.

use secrecy::SecretString;

use super::{Grant, Granted, OAuth, RefreshTokenStore, same};
use crate::error::{ConnectorError, ErrorKind};

/// A refresh token that took the place of the one in the file.
pub(super) struct Rotated {
    file: SecretString,
    now: SecretString,
}

impl OAuth {
    /// A token by the newest refresh token there is: the one in memory, else the one kept in the store, else the one in the file. A kept
    /// one that is refused may have been revoked with its chain, so the file's is tried, too.
    pub(super) async fn refreshed(&self, rotated: &mut Option<Rotated>) -> Result<Granted, ConnectorError> {
        let Grant::RefreshToken {
            client_id,
            client_secret,
            refresh_token,
            store,
            scopes,
        } = &self.grant
        else {
            return Err(self.error(ErrorKind::Bug));
        };
        let secret = match client_secret {
            Some(secret) => Some(self.read(secret.as_ref()).await?),
            None => None,
        };
        let file = self.read(refresh_token.as_ref()).await?;
        let ask = async |token: &SecretString| self.refresh(client_id, secret.as_ref(), token, scopes).await;
        let granted = match self.kept(&file, rotated.as_ref(), store.as_ref()).await? {
            None => ask(&file).await?,
            Some(kept) => match ask(&kept).await {
                Err(error) if error.kind == ErrorKind::Unauthorized => {
                    *rotated = None;
                    tracing::warn!(
                        provider = %self.settings.provider,
                        "the kept refresh token is refused; the one in the configured file is tried"
                    );
                    ask(&file).await?
                }
                answer => answer?,
            },
        };
        if let Some(now) = granted.refresh_token.clone() {
            self.keep_rotated(rotated, file, now, store.as_ref()).await;
        }
        Ok(granted)
    }

    /// What took the place of the file's token, if anything did.
    async fn kept(
        &self,
        file: &SecretString,
        rotated: Option<&Rotated>,
        store: Option<&RefreshTokenStore>,
    ) -> Result<Option<SecretString>, ConnectorError> {
        if let Some(rotated) = rotated.filter(|rotated| same(&rotated.file, file)) {
            return Ok(Some(rotated.now.clone()));
        }
        let Some(store) = store else { return Ok(None) };
        store
            .read(file)
            .await
            .map_err(|error| self.error(ErrorKind::Config).with_source(error))
    }

    /// Keeps a token that took the place of another. The run goes on when it cannot be kept beyond this process, but says so: the
    /// configured token then ages until the provider drops it.
    async fn keep_rotated(
        &self,
        rotated: &mut Option<Rotated>,
        file: SecretString,
        now: SecretString,
        store: Option<&RefreshTokenStore>,
    ) {
        let is_first = rotated.is_none();
        let provider = self.settings.provider;
        match store {
            // The provider may send the same one back; nothing was replaced then.
            _ if same(&file, &now) => return,
            Some(store) => {
                if let Err(error) = store.write(&file, &now).await {
                    tracing::warn!(%provider, error = %error, "a replaced refresh token could not be kept for the next run");
                }
            }
            None if is_first => tracing::warn!(
                %provider,
                "the refresh token was replaced and there is no refresh_token_store: the new one is lost when this program ends, \
                 and the configured one works only as long as the provider still accepts it"
            ),
            None => {}
        }
        *rotated = Some(Rotated { file, now });
    }
}
