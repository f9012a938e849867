package sample

import (
	"slices"
	"strings"
)

// later are keywords of the manual that are known without being done, and why.
type later struct{ why, names string }

// laterFetches are those of chapter 7.3; laterCounters more of them.
var laterFetches = []later{
	{"no stick tables yet", `sc_key table_avl table_cnt src_bytes_in_rate src_bytes_out_rate src_clr_gpc src_clr_gpc0 src_clr_gpc1
src_conn_cnt src_conn_cur src_conn_rate src_get_gpc src_get_gpc0 src_get_gpc1 src_get_gpt src_get_gpt0
src_glitch_cnt src_glitch_rate src_gpc_rate src_gpc0_rate src_gpc1_rate src_http_err_cnt src_http_err_rate
src_http_fail_cnt src_http_fail_rate src_http_req_cnt src_http_req_rate src_inc_gpc src_inc_gpc0 src_inc_gpc1
src_kbytes_in src_kbytes_out src_sess_cnt src_sess_rate src_updt_conn_cnt`},
	{"no TLS yet", `ssl_bc ssl_bc_alg_keysize ssl_bc_alpn ssl_bc_cipher ssl_bc_client_random ssl_bc_curve ssl_bc_err
ssl_bc_err_str ssl_bc_is_resumed ssl_bc_npn ssl_bc_protocol ssl_bc_server_random ssl_bc_session_id
ssl_bc_session_key ssl_bc_sigalgs ssl_bc_unique_id ssl_bc_use_keysize ssl_c_ca_commonname ssl_c_ca_err
ssl_c_ca_err_depth ssl_c_chain_der ssl_c_der ssl_c_err ssl_c_i_dn ssl_c_key_alg ssl_c_notafter ssl_c_notbefore
ssl_c_r_dn ssl_c_s_dn ssl_c_san ssl_c_serial ssl_c_sha1 ssl_c_sig_alg ssl_c_used ssl_c_verify ssl_c_version
ssl_f_der ssl_f_i_dn ssl_f_key_alg ssl_f_notafter ssl_f_notbefore ssl_f_s_dn ssl_f_serial ssl_f_sha1
ssl_f_sig_alg ssl_f_version ssl_fc_alg_keysize ssl_fc_alpn ssl_fc_cipher ssl_fc_cipherlist_bin
ssl_fc_cipherlist_hex ssl_fc_cipherlist_str ssl_fc_cipherlist_xxh ssl_fc_crtname ssl_fc_curve
ssl_fc_ecformats_bin ssl_fc_eclist_bin ssl_fc_extlist_bin ssl_fc_err ssl_fc_err_str ssl_fc_has_crt
ssl_fc_has_early ssl_fc_has_sni ssl_fc_is_resumed ssl_fc_npn ssl_fc_protocol ssl_fc_protocol_hello_id
ssl_fc_session_id ssl_fc_session_key ssl_fc_sigalgs_bin ssl_fc_sni ssl_fc_supported_versions_bin
ssl_fc_unique_id ssl_fc_use_keysize ssl_s_der ssl_s_i_dn ssl_s_key_alg ssl_s_notafter ssl_s_notbefore
ssl_s_s_dn ssl_s_serial ssl_s_sha1 ssl_s_sig_alg ssl_s_version ssl_fc_client_random
ssl_fc_client_early_traffic_secret ssl_fc_client_handshake_traffic_secret ssl_fc_client_traffic_secret_0
ssl_fc_exporter_secret ssl_fc_early_exporter_secret ssl_fc_server_handshake_traffic_secret
ssl_fc_server_traffic_secret_0 ssl_fc_server_random ssl_s_chain_der`},
	{"no cache and no compression here: leave both to the servers or to a cache of its own", `res.cache_hit res.cache_name res.comp res.comp_algo`},
	{"no HTTP/2, QUIC or FastCGI yet", `fc_glitches fc_nb_streams fc_settings_streams_limit bc_glitches bc_nb_streams bc_settings_streams_limit
fcgi.docroot fcgi.index fs.debug_str fs.id fs.rst_code bs.debug_str bs.id bs.rst_code`},
	{"the daemon of a device data base is not asked from here: let a server do it", `51d.all`},
	{"the hello is read for its version, name, ALPN and ciphers alone", `req.ssl_cipherlist req.ssl_keyshare_groups req.ssl_sigalgs req.ssl_supported_groups`},
	{"a protocol that is not read here: route by address, port or req.payload", `distcc_body distcc_param`},
	{"the packets of the handshake are not kept: use src, fc_rtt and the like", `fc_saved_syn`},
	{"an inner thing of HAProxy, which has no counterpart here", `cpu_calls cpu_ns_avg cpu_ns_tot last_entity lat_ns_avg lat_ns_tot term_events var_dump waiting_entity
internal.htx.data internal.htx.free internal.htx.free_data internal.htx.has_eom internal.htx.nbblks
internal.htx.size internal.htx.used internal.htx_blk.size internal.htx_blk.type internal.htx_blk.data
internal.htx_blk.hdrname internal.htx_blk.hdrval internal.htx_blk.start_line internal.strm.is_htx`},
	{"write fc_err, the number, or fc_err_str", `fc_err_name`},
	{"failures to reach a server are told by the termination state and the retries in the log", `bc_err bc_err_name bc_err_str`},
	{"connections are counted by frontend: fe_conn", `dst_conn`},
	{"of a PROXY header the authority and the identifier are kept: fc_pp_authority, fc_pp_unique_id", `fc_pp_tlv`},
	{"it came after HAProxy 2.6 and could not be compared with it", `bc_be_queue req.timer.user res.timer.user srv_uweight_total req.cookie_list`},
}

// laterCounters are the tracked-counter fetches, which exist as sc_X, sc0_X, sc1_X and sc2_X.
const laterCounters = `
bytes_in_rate bytes_out_rate clr_gpc clr_gpc0 clr_gpc1 conn_cnt conn_cur conn_rate get_gpc get_gpc0 get_gpc1
get_gpt get_gpt0 glitch_cnt glitch_rate gpc_rate gpc0_rate gpc1_rate http_err_cnt http_err_rate http_fail_cnt http_fail_rate
http_req_cnt http_req_rate inc_gpc inc_gpc0 inc_gpc1 kbytes_in kbytes_out sess_cnt sess_rate tracked trackers
`

// laterConverters are those of chapter 7.3.1.
var laterConverters = []later{
	{"no stick tables yet", `in_table table_bytes_in_rate table_bytes_out_rate table_clr_gpc table_clr_gpc0 table_clr_gpc1 table_conn_cnt
table_conn_cur table_conn_rate table_expire table_glitch_cnt table_glitch_rate table_gpc table_gpc0 table_gpc1
table_gpc_rate table_gpc0_rate table_gpc1_rate table_gpt table_gpt0 table_http_err_cnt table_http_err_rate
table_http_fail_cnt table_http_fail_rate table_http_req_cnt table_http_req_rate table_idle table_inc_gpc
table_inc_gpc0 table_inc_gpc1 table_kbytes_in table_kbytes_out table_server_id table_sess_cnt table_sess_rate
table_trackers`},
	{"no TLS yet", `x509_v_err_str jwt_verify_cert jwt_decrypt_cert jwt_decrypt_jwk jwt_decrypt_secret`},
	{"no HTTP/2, QUIC or FastCGI yet", `ungrpc`},
	{"the daemon of a device data base is not asked from here: let a server do it", `51d.single da-csv-conv`},
	{"a protocol that is not read here: route by address, port or req.payload", `fix_is_valid fix_tag_value mqtt_field_value mqtt_is_valid protobuf`},
	{"the packets of the handshake are not kept: use src, fc_rtt and the like", `ip.fp ip.data ip.df ip.dst ip.hdr ip.proto ip.src ip.tos ip.ttl ip.ver eth.data eth.dst eth.hdr eth.proto
eth.src eth.vlan tcp.dst tcp.flags tcp.options.mss tcp.options.sack tcp.options.tsopt tcp.options.tsval
tcp.options.wscale tcp.options_list tcp.seq tcp.src tcp.win`},
	{"no block of CBC: use aes_gcm_dec and aes_gcm_enc, which notice changes", `aes_cbc_dec aes_cbc_enc`},
	{"there is no place to show it: set a header, or a variable, and log it", `debug`},
}

// LaterFetches lists the fetches that are known without being done, and why.
func LaterFetches() []Keyword {
	words := laterWords(laterFetches)
	for _, prefix := range []string{"sc_", "sc0_", "sc1_", "sc2_"} {
		for _, c := range strings.Fields(laterCounters) {
			words = append(words, Keyword{Name: prefix + c, Doc: "no stick tables yet"})
		}
	}
	return words
}

// LaterConverters lists the converters that are known without being done, and why.
func LaterConverters() []Keyword { return laterWords(laterConverters) }

func laterWords(rows []later) []Keyword {
	var words []Keyword
	for _, row := range rows {
		for _, name := range strings.Fields(row.names) {
			words = append(words, Keyword{Name: name, Doc: row.why})
		}
	}
	return words
}

// whyLater tells why the keyword of that name is not done, and whether it is such a one.
func whyLater(words []Keyword, name string) (why string, ok bool) {
	if i := slices.IndexFunc(words, func(w Keyword) bool { return w.Name == name }); i >= 0 {
		return words[i].Doc, true
	}
	return "", false
}
