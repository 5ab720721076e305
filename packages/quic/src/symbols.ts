/** The symbols of Node's own OpenSSL and libuv that the addon calls. A test compares the list with the built binary. */
export const REQUIRED_SYMBOLS: readonly string[] = `
  BIO_ADDR_free BIO_ADDR_new BIO_ADDR_rawmake BIO_free BIO_new_dgram ERR_clear_error ERR_peek_error
  EVP_PKCS82PKEY EVP_PKEY_free EVP_PKEY_get_base_id OPENSSL_cleanse OSSL_QUIC_server_method
  PKCS8_PRIV_KEY_INFO_free SSL_CTX_ctrl SSL_CTX_free SSL_CTX_get0_certificate SSL_CTX_new
  SSL_CTX_set_alpn_select_cb SSL_CTX_set_cert_verify_callback SSL_CTX_set_num_tickets SSL_CTX_set_verify
  SSL_CTX_use_cert_and_key SSL_accept_connection SSL_accept_stream SSL_ctrl SSL_do_handshake
  SSL_export_keying_material SSL_free SSL_get0_alpn_selected SSL_get0_peer_certificate
  SSL_get_accept_stream_queue_len SSL_get_conn_close_info SSL_get_error SSL_get_event_timeout
  SSL_get_stream_id SSL_get_stream_read_error_code SSL_get_stream_read_state SSL_get_stream_type
  SSL_get_stream_write_error_code SSL_get_stream_write_state SSL_get_value_uint SSL_handle_events
  SSL_listen SSL_net_write_desired SSL_new_from_listener SSL_new_listener SSL_new_stream SSL_read_ex
  SSL_select_next_proto SSL_set1_initial_peer_addr SSL_set_alpn_protos SSL_set_bio SSL_set_blocking_mode
  SSL_set_default_stream_mode SSL_set_incoming_stream_policy SSL_set_value_uint SSL_shutdown_ex
  SSL_stream_conclude SSL_stream_reset SSL_write_ex X509_STORE_CTX_set_error X509_check_private_key
  X509_free X509_get0_pubkey d2i_PKCS8_PRIV_KEY_INFO d2i_X509 i2d_X509 uv_close uv_err_name uv_handle_size
  uv_now uv_poll_init uv_poll_start uv_prepare_init uv_prepare_start uv_prepare_stop uv_ref uv_timer_init
  uv_timer_start uv_timer_stop uv_unref
`
  .trim()
  .split(/\s+/);
