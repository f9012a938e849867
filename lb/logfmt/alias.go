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
}

var aliases = []aliasRow{
	{"B", aliasB, false, 0},
	{"CC", aliasCC, true, 0},
	{"CS", aliasCS, true, 0},
	{"H", aliasH, false, 0},
	{"HM", aliasHM, true, 0},
	{"HP", aliasHP, true, 0},
	{"HPO", aliasHPO, true, 0},
	{"HQ", aliasHQ, true, 0},
	{"HU", aliasHU, true, 0},
	{"HV", aliasHV, true, 0},
	{"ID", aliasID, false, 0},
	{"OG", aliasOG, false, 0},
	{"ST", aliasST, false, 0},
	{"T", aliasT, false, 0},
	{"Ta", aliasTa, true, 0},
	{"Tc", aliasTc, false, 0},
	{"Td", aliasTd, false, 0},
	{"Th", aliasTh, false, 0},
	{"Ti", aliasTi, true, 0},
	{"Tl", aliasTl, false, 0},
	{"Tq", aliasTq, true, 0},
	{"TR", aliasTR, true, 0},
	{"Tr", aliasTr, true, 0},
	{"Ts", aliasTs, false, 0},
	{"Tt", aliasTt, false, 0},
	{"Tu", aliasTu, false, 0},
	{"Tw", aliasTw, false, 0},
	{"U", aliasU, false, 0},
	{"ac", aliasac, false, 0},
	{"b", aliasb, false, 0},
	{"bc", aliasbc, false, 0},
	{"bi", aliasbi, false, NeedSource},
	{"bp", aliasbp, false, NeedSource},
	{"bq", aliasbq, false, 0},
	{"ci", aliasci, false, 0},
	{"cp", aliascp, false, 0},
	{"f", aliasf, false, 0},
	{"fc", aliasfc, false, 0},
	{"fi", aliasfi, false, NeedLocal},
	{"fp", aliasfp, false, NeedLocal},
	{"ft", aliasft, false, 0},
	{"hr", aliashr, false, 0},
	{"hrl", aliashrl, false, 0},
	{"hs", aliashs, false, 0},
	{"hsl", aliashsl, false, 0},
	{"lc", aliaslc, false, 0},
	{"ms", aliasms, false, 0},
	{"pid", aliaspid, false, 0},
	{"r", aliasr, true, 0},
	{"rc", aliasrc, false, 0},
	{"rt", aliasrt, false, NeedCounters},
	{"s", aliass, false, 0},
	{"sc", aliassc, false, 0},
	{"si", aliassi, false, 0},
	{"sp", aliassp, false, 0},
	{"sq", aliassq, false, 0},
	{"sslc", aliassslc, false, 0},
	{"sslv", aliassslv, false, 0},
	{"t", aliast, false, 0},
	{"tr", aliastr, true, 0},
	{"trg", aliastrg, true, 0},
	{"trl", aliastrl, true, 0},
	{"ts", aliasts, false, 0},
	{"tsc", aliastsc, true, 0},
}

func aliasOf(name string) (aliasRow, bool) {
	i := slices.IndexFunc(aliases, func(a aliasRow) bool { return a.name == name })
	if i < 0 {
		return aliasRow{}, false
	}
	return aliases[i], true
}

// Aliases lists the names of all aliases, without %.
func Aliases() []string {
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
