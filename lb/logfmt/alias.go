package logfmt

import "slices"

// alias is a %name of chapter 8.2.6.
type alias uint8

const (
	aliasB alias = iota + 1
	aliasCC
	aliasCS
	aliasH
	aliasHM
	aliasHP
	aliasHPO
	aliasHQ
	aliasHU
	aliasHV
	aliasID
	aliasOG
	aliasST
	aliasT
	aliasTa
	aliasTc
	aliasTd
	aliasTh
	aliasTi
	aliasTl
	aliasTq
	aliasTR
	aliasTr
	aliasTs
	aliasTt
	aliasTu
	aliasTw
	aliasU
	aliasac
	aliasb
	aliasbc
	aliasbi
	aliasbp
	aliasbq
	aliasci
	aliascp
	aliasf
	aliasfc
	aliasfi
	aliasfp
	aliasft
	aliashr
	aliashrl
	aliashs
	aliashsl
	aliaslc
	aliasms
	aliaspid
	aliasr
	aliasrc
	aliasrt
	aliass
	aliassc
	aliassi
	aliassp
	aliassq
	aliassslc
	aliassslv
	aliast
	aliastr
	aliastrg
	aliastrl
	aliasts
	aliastsc
)

// Need is what a format wants to know that is not at hand for nothing.
type Need uint8

// The needs.
const (
	NeedLocal    Need = 1 << iota // Record.Local
	NeedSource                    // Record.Source
	NeedCounters                  // Record.RequestID
	NeedSample                    // Record.Sample
)

type aliasRow struct {
	name  string
	alias alias
	http  bool // mode http alone
	needs Need
	doc   string
}

var aliases = []aliasRow{
	{"B", aliasB, false, 0, "bytes sent to the client, heads included"},
	{"CC", aliasCC, true, 0, "captured request cookie"},
	{"CS", aliasCS, true, 0, "captured response cookie"},
	{"H", aliasH, false, 0, "name of the host"},
	{"HM", aliasHM, true, 0, "method"},
	{"HP", aliasHP, true, 0, "path, with the scheme and authority of an absolute target"},
	{"HPO", aliasHPO, true, 0, "path alone"},
	{"HQ", aliasHQ, true, 0, "query with its question mark"},
	{"HU", aliasHU, true, 0, "target as it came"},
	{"HV", aliasHV, true, 0, "version"},
	{"ID", aliasID, false, 0, "unique identifier"},
	{"OG", aliasOG, false, 0, "origin of a do-log or step line"},
	{"ST", aliasST, false, 0, "status"},
	{"T", aliasT, false, 0, "date, UTC"},
	{"Ta", aliasTa, true, 0, "time of the request, from its first byte to the end"},
	{"Tc", aliasTc, false, 0, "time for the connection to the server"},
	{"Td", aliasTd, false, 0, "time of the data, from the response's head to the end"},
	{"Th", aliasTh, false, 0, "time of the handshakes"},
	{"Ti", aliasTi, true, 0, "idle time before the request"},
	{"Tl", aliasTl, false, 0, "date, local time with its zone"},
	{"Tq", aliasTq, true, 0, "time from the accept to the end of the request's head"},
	{"TR", aliasTR, true, 0, "time to receive the request's head"},
	{"Tr", aliasTr, true, 0, "time to the response's head"},
	{"Ts", aliasTs, false, 0, "seconds since 1970"},
	{"Tt", aliasTt, false, 0, "time of the session, from the accept to the end"},
	{"Tu", aliasTu, false, 0, "time as the user sees it, without the idle time"},
	{"Tw", aliasTw, false, 0, "time in queues"},
	{"U", aliasU, false, 0, "bytes from the client, heads included"},
	{"ac", aliasac, false, 0, "connections of the process"},
	{"b", aliasb, false, 0, "backend"},
	{"bc", aliasbc, false, 0, "connections of the backend"},
	{"bi", aliasbi, false, NeedSource, "source address towards the server"},
	{"bp", aliasbp, false, NeedSource, "source port towards the server"},
	{"bq", aliasbq, false, 0, "requests that waited before this one in the backend's queue"},
	{"ci", aliasci, false, 0, "client's address"},
	{"cp", aliascp, false, 0, "client's port"},
	{"f", aliasf, false, 0, "frontend"},
	{"fc", aliasfc, false, 0, "connections of the frontend"},
	{"fi", aliasfi, false, NeedLocal, "address that the client connected to"},
	{"fp", aliasfp, false, NeedLocal, "port that the client connected to"},
	{"ft", aliasft, false, 0, "frontend, with ~ for TLS"},
	{"hr", aliashr, false, 0, "captured request headers between braces"},
	{"hrl", aliashrl, false, 0, "captured request headers, each a field"},
	{"hs", aliashs, false, 0, "captured response headers between braces"},
	{"hsl", aliashsl, false, 0, "captured response headers, each a field"},
	{"lc", aliaslc, false, 0, "number of the frontend's line"},
	{"ms", aliasms, false, 0, "milliseconds of the date"},
	{"pid", aliaspid, false, 0, "process"},
	{"r", aliasr, true, 0, "request line"},
	{"rc", aliasrc, false, 0, "retries, with + for a redispatch"},
	{"rt", aliasrt, false, NeedCounters, "number of the request in this process"},
	{"s", aliass, false, 0, "server"},
	{"sc", aliassc, false, 0, "connections of the server"},
	{"si", aliassi, false, 0, "server's address"},
	{"sp", aliassp, false, 0, "server's port"},
	{"sq", aliassq, false, 0, "requests that waited before this one in the server's queue"},
	{"sslc", aliassslc, false, 0, "cipher of the client's connection"},
	{"sslv", aliassslv, false, 0, "TLS version of the client's connection"},
	{"t", aliast, false, 0, "date of the accept, local time"},
	{"tr", aliastr, true, 0, "date of the request, local time"},
	{"trg", aliastrg, true, 0, "date of the request, UTC"},
	{"trl", aliastrl, true, 0, "date of the request, local time with its zone"},
	{"ts", aliasts, false, 0, "termination state"},
	{"tsc", aliastsc, true, 0, "termination state with that of the cookie"},
}

func aliasOf(name string) (aliasRow, bool) {
	i := slices.IndexFunc(aliases, func(a aliasRow) bool { return a.name == name })
	if i < 0 {
		return aliasRow{}, false
	}
	return aliases[i], true
}

// Alias is an alias for people to read about.
type Alias struct {
	Name string // without %
	Doc  string
}

// Aliases lists all aliases.
func Aliases() []Alias {
	var all []Alias
	for _, a := range aliases {
		all = append(all, Alias{a.name, a.doc})
	}
	return all
}

// AliasNames lists the names of all aliases, without %.
func AliasNames() []string {
	var names []string
	for _, a := range aliases {
		names = append(names, a.name)
	}
	return names
}

// The standard formats in terms of their aliases: chapters 8.2.2 to 8.2.4.
const (
	TCPFormat   = "%ci:%cp [%t] %ft %b/%s %Tw/%Tc/%Tt %B %ts %ac/%fc/%bc/%sc/%rc %sq/%bq"
	HTTPFormat  = `%ci:%cp [%tr] %ft %b/%s %TR/%Tw/%Tc/%Tr/%Ta %ST %B %CC %CS %tsc %ac/%fc/%bc/%sc/%rc %sq/%bq %hr %hs %{+Q}r`
	CLFFormat   = `%{+Q}o %{-Q}ci - - [%trg] %r %ST %B "" "" %cp %ms %ft %b %s %TR %Tw %Tc %Tr %Ta %tsc %ac %fc %bc %sc %rc %sq %bq %CC %CS %hrl %hsl`
	TCPCLF      = `%{+Q}o %{-Q}ci - - [%T] "TCP " 000 %B "" "" %cp %ms %ft %b %s %Th %Tw %Tc %Tt %U %ts-- %ac %fc %bc %sc %rc %sq %bq "" "" `
	HTTPSFormat = HTTPFormat + ` %[fc_err]/%[ssl_fc_err,hex]/%[ssl_c_err]/%[ssl_c_ca_err]/%[ssl_fc_is_resumed] %[ssl_fc_sni]/%sslv/%sslc`
)
