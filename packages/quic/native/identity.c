/*
 * Who an endpoint is: its certificate, its key, and the TLS settings that both roles share.
 *
 * I1. Both sides are asked for a certificate; one that presents none is refused like one that is not approved. TLS proves that the peer holds
 *     its key; whether that certificate is welcome is decided by the program, after the handshake and outside OpenSSL (the verify callback
 *     must not call back into OpenSSL).
 * I2. A certificate and a key that do not belong together change nothing.
 * I3. No session tickets: every connection proves its key again.
 * I4. No protocol name in common, or no certificate, does not fail the handshake but the connection right after it: OpenSSL 3.5 does not send
 *     the alert, and the dialler would wait for its timeout.
 */
#include "quic.h"

#include <openssl/err.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>
#include <string.h>

static X509 *read_certificate(struct bytes der) {
  const unsigned char *at = der.data;
  X509 *certificate = d2i_X509(NULL, &at, (long)der.length);
  if (certificate != NULL && at == der.data + der.length) return certificate;
  X509_free(certificate);
  return NULL;
}

static EVP_PKEY *read_key(struct bytes der) {
  const unsigned char *at = der.data;
  PKCS8_PRIV_KEY_INFO *info = d2i_PKCS8_PRIV_KEY_INFO(NULL, &at, (long)der.length);
  EVP_PKEY *key = info == NULL || at != der.data + der.length ? NULL : EVP_PKCS82PKEY(info);
  PKCS8_PRIV_KEY_INFO_free(info);
  return key;
}

static const char *use_pair(SSL_CTX *context, X509 *certificate, EVP_PKEY *key) {
  if (certificate == NULL) return "the certificate is not the DER form of one X.509 certificate";
  if (key == NULL) return "the key is not an unencrypted PKCS#8 key in DER form";
  if (X509_check_private_key(certificate, key) != 1) return "the key does not belong to the certificate";
  X509 *current = SSL_CTX_get0_certificate(context);
  if (current != NULL && EVP_PKEY_get_base_id(X509_get0_pubkey(current)) != EVP_PKEY_get_base_id(key))
    return "the kind of key differs from the one that is in use";
  if (SSL_CTX_use_cert_and_key(context, certificate, key, NULL, 1) != 1)
    return "TLS 1.3 cannot use this certificate or this kind of key";
  return NULL;
}

/* Uses a certificate for every connection that begins from now on; gives what is wrong with it, or NULL. */
const char *identity_use(SSL_CTX *context, struct bytes certificate_der, struct bytes key_der) {
  forget_errors();
  X509 *certificate = read_certificate(certificate_der);
  EVP_PKEY *key = read_key(key_der);
  const char *wrong = use_pair(context, certificate, key);
  X509_free(certificate);
  EVP_PKEY_free(key);
  forget_errors();
  return wrong;
}

static int accept_any_certificate(X509_STORE_CTX *store, void *unused) {
  (void)unused;
  X509_STORE_CTX_set_error(store, X509_V_OK);
  return 1;
}

static int choose_protocol(
    SSL *ssl, const unsigned char **out, unsigned char *out_length, const unsigned char *offered, unsigned int length, void *arg) {
  (void)ssl;
  const struct endpoint *endpoint = arg;
  unsigned char *chosen = NULL;
  int result = SSL_select_next_proto(
      &chosen, out_length, endpoint->alpn, (unsigned int)endpoint->alpn_length, offered, length);
  /* With nothing in common OpenSSL has put the dialler's first name into `chosen`: connection.c closes such a connection (I4). */
  if (result != OPENSSL_NPN_NEGOTIATED && chosen == NULL) return SSL_TLSEXT_ERR_ALERT_FATAL;
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

/* TLS settings for an endpoint whose ALPN list is set, or NULL. A context of the server method dials as well. */
SSL_CTX *identity_context(struct endpoint *endpoint, const char *groups) {
  forget_errors();
  SSL_CTX *context = SSL_CTX_new(OSSL_QUIC_server_method());
  if (context == NULL) return NULL;
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
  SSL_CTX_set_cert_verify_callback(context, accept_any_certificate, NULL);
  SSL_CTX_set_alpn_select_cb(context, choose_protocol, endpoint);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(context, 0);
  SSL_CTX_set_max_cert_list(context, CERTIFICATES_MAX);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  if (SSL_CTX_set1_groups_list(context, groups) == 1) return context;
  SSL_CTX_free(context);
  forget_errors();
  return NULL;
}
