package logfmt

import (
	"bytes"
	"net/netip"
	"time"

	"baton/lb/sample"
)

// Append appends the line that the format makes of r.
func (f *Format) Append(dst []byte, r *Record) []byte {
	switch {
	case f.flags&asJSON != 0:
		return f.appendJSON(dst, r)
	case f.flags&asCBOR != 0:
		return f.appendCBOR(dst, r)
	}
	blank := true // the last byte written is a blank, or nothing is written
	for i := range f.items {
		it := &f.items[i]
		n := len(dst)
		switch it.kind {
		case itemText:
			dst = append(dst, it.text...)
		case itemBlank:
			if !blank {
				dst = append(dst, ' ')
				blank = true
			}
			continue
		default:
			dst = it.append(dst, r)
			if it.flags&asCBOR != 0 {
				dst = hexInPlace(dst, n)
			}
		}
		// As HAProxy does it: captures that are not there take the blank with them, an
		// empty query leaves the blanks on both its sides.
		if len(dst) > n || it.alias == aliasHQ {
			blank = false
		}
	}
	return dst
}

// appendJSON appends an object of the items that have names.
func (f *Format) appendJSON(dst []byte, r *Record) []byte {
	dst = append(dst, '{')
	first := true
	for i := range f.items {
		it := &f.items[i]
		if it.name == "" {
			continue
		}
		if !first {
			dst = append(dst, ", "...)
		}
		first = false
		dst = append(appendJSON(dst, it.name), ": "...)
		dst = it.append(dst, r)
	}
	return append(dst, '}')
}

// appendCBOR appends a map of the items that have names.
func (f *Format) appendCBOR(dst []byte, r *Record) []byte {
	start := len(dst)
	dst = append(dst, cborMap)
	for i := range f.items {
		it := &f.items[i]
		if it.name != "" {
			dst = appendCBORText(dst, it.name)
			dst = it.append(dst, r)
		}
	}
	dst = append(dst, cborEnd)
	if f.flags&binary != 0 {
		return dst
	}
	return hexInPlace(dst, start)
}

func (it *item) append(dst []byte, r *Record) []byte {
	if it.kind == itemExpr {
		return it.appendExpr(dst, r)
	}
	switch it.alias {
	case aliasr, aliasHM, aliasHP, aliasHPO, aliasHQ, aliasHU, aliasHV:
		return it.appendRequest(dst, r)
	case aliasTa, aliasTc, aliasTd, aliasTh, aliasTi, aliasTq, aliasTR, aliasTr, aliasTt, aliasTu, aliasTw:
		return it.appendTimer(dst, r)
	case aliasT, aliasTl, aliasTs, aliast, aliasms, aliastr, aliastrg, aliastrl:
		return it.appendDate(dst, r)
	case aliasac, aliasbc, aliasbq, aliasfc, aliaslc, aliaspid, aliasrc, aliasrt, aliassc, aliassq, aliasB, aliasU, aliasST:
		return it.appendCount(dst, r)
	case aliasbi, aliasbp, aliasci, aliascp, aliasfi, aliasfp, aliassi, aliassp:
		return it.appendAddress(dst, r)
	case aliashr, aliashs, aliashrl, aliashsl:
		return it.appendCaptures(dst, r)
	}
	return it.appendName(dst, r)
}

// appendName appends what is a word of ours.
func (it *item) appendName(dst []byte, r *Record) []byte {
	switch it.alias {
	case aliasCC:
		return text(dst, it, r.RequestCookie, lineText, "-")
	case aliasCS:
		return text(dst, it, r.ResponseCookie, lineText, "-")
	case aliasH:
		return text(dst, it, r.Host, rawText, "-")
	case aliasID:
		return text(dst, it, r.UniqueID, rawText, "-")
	case aliasOG:
		return text(dst, it, r.Origin.String(), rawText, "-")
	case aliasb:
		if r.Backend == "" {
			return text(dst, it, r.Frontend, rawText, "-")
		}
		return text(dst, it, r.Backend, rawText, "-")
	case aliass:
		if r.Server == "" {
			return text(dst, it, "<NOSRV>", rawText, "-")
		}
		return text(dst, it, r.Server, rawText, "-")
	case aliasf:
		return text(dst, it, r.Frontend, rawText, "-")
	case aliasft:
		if r.TLS {
			var b [256]byte // names are short; a longer one allocates
			return text(dst, it, append(append(b[:0], r.Frontend...), '~'), rawText, "-")
		}
		return text(dst, it, r.Frontend, rawText, "-")
	case aliassslc:
		return text(dst, it, r.Cipher, rawText, "-")
	case aliassslv:
		return text(dst, it, r.TLSVersion, rawText, "-")
	case aliasts:
		return it.bare(dst, r.State[:2])
	case aliastsc:
		return it.bare(dst, r.State[:])
	}
	panic("BUG: logfmt: alias without a value")
}

// bare appends what has no quotes in plain text.
func (it *item) bare(dst, s []byte) []byte {
	if it.flags&(asJSON|asCBOR) != 0 {
		return text(dst, it, s, rawText, "")
	}
	return append(dst, s...)
}

func (it *item) appendCount(dst []byte, r *Record) []byte {
	switch it.alias {
	case aliasB:
		return number(dst, it, r.Bytes, r.Early)
	case aliasU:
		return number(dst, it, r.Uploaded, false)
	case aliasST:
		if r.Status == 0 && r.HTTP {
			return number(dst, it, -1, false)
		}
		return number(dst, it, int64(r.Status), false)
	case aliasac:
		return number(dst, it, int64(r.ProcessConns), false)
	case aliasfc:
		return number(dst, it, int64(r.FrontendConns), false)
	case aliasbc:
		return number(dst, it, int64(r.BackendConns), false)
	case aliassc:
		return number(dst, it, int64(r.ServerConns), false)
	case aliasbq:
		return number(dst, it, int64(r.BackendQueue), false)
	case aliassq:
		return number(dst, it, int64(r.ServerQueue), false)
	case aliasrc:
		return number(dst, it, int64(r.Retries), r.Redispatched)
	case aliaslc:
		return number(dst, it, int64(r.LogCount), false)
	case aliasrt:
		return hexNumber(dst, it, int64(r.RequestID), 4)
	}
	return hexNumber(dst, it, int64(r.PID), 4)
}

// appendRequest appends a part of the request line.
func (it *item) appendRequest(dst []byte, r *Record) []byte {
	if r.Request == nil {
		return text(dst, it, "<BADREQ>", rawText, "")
	}
	line := r.Request[:min(len(r.Request), maxRequest)]
	if it.alias == aliasr {
		return text(dst, it, line, lineText, "-")
	}
	method, target, version := cutRequest(line)
	switch it.alias {
	case aliasHM:
		return text(dst, it, method, lineText, "")
	case aliasHV:
		return text(dst, it, version, lineText, "")
	case aliasHU:
		return text(dst, it, target, lineText, "")
	}
	path, query := cutQuery(target)
	switch it.alias {
	case aliasHQ:
		return text(dst, it, query, lineText, "")
	case aliasHPO:
		path = pathOnly(path)
	}
	return text(dst, it, path, lineText, "")
}

// appendTimer appends a timer in milliseconds; -1: the phase was not reached.
func (it *item) appendTimer(dst []byte, r *Record) []byte {
	switch it.alias {
	case aliasTa:
		return number(dst, it, sample.Millis(r.Total), r.Early)
	case aliasTt:
		return number(dst, it, sample.Millis(r.Tt()), r.Early)
	case aliasTu:
		return number(dst, it, sample.Millis(r.Tu()), r.Early)
	case aliasTd:
		return number(dst, it, sample.Millis(r.Td(r.HTTP)), false)
	case aliasTh:
		return number(dst, it, sample.Millis(r.Th), false)
	case aliasTi:
		return number(dst, it, sample.Millis(r.Ti), false)
	case aliasTq:
		return number(dst, it, sample.Millis(r.Tq()), false)
	case aliasTR:
		return number(dst, it, sample.Millis(r.TR), false)
	case aliasTw:
		return number(dst, it, sample.Millis(r.Tw), false)
	case aliasTc:
		return number(dst, it, sample.Millis(r.Tc), false)
	}
	return number(dst, it, sample.Millis(r.Tr), false)
}

func (it *item) appendDate(dst []byte, r *Record) []byte {
	if it.alias == aliastr && it.flags&(asJSON|asCBOR) == 0 {
		return r.Dates.append(dst, r.Date)
	}
	accept := r.Date
	if before := r.Th + max(r.Ti, 0); before > 0 {
		accept = accept.Add(-before)
	}
	switch it.alias {
	case aliasTs:
		return hexNumber(dst, it, accept.Unix(), 4)
	case aliasms:
		if it.flags&hexa != 0 {
			return hexNumber(dst, it, int64(accept.Nanosecond()/1e6), 2)
		}
		if it.flags&(asJSON|asCBOR) != 0 {
			return number(dst, it, int64(accept.Nanosecond()/1e6), false)
		}
		return appendDigits(dst, accept.Nanosecond()/1e6, 3)
	}
	var b [40]byte
	var date []byte
	switch it.alias {
	case aliasT:
		date = appendZoned(b[:0], accept.UTC())
	case aliasTl:
		date = appendZoned(b[:0], accept)
	case aliast:
		date = r.Dates.append(b[:0], accept)
	case aliastr:
		date = r.Dates.append(b[:0], r.Date)
	case aliastrg:
		date = appendZoned(b[:0], r.Date.UTC())
	case aliastrl:
		date = appendZoned(b[:0], r.Date)
	}
	return it.bare(dst, date)
}

// appendZoned appends t as 06/Feb/2009:12:14:14 +0100.
func appendZoned(dst []byte, t time.Time) []byte {
	dst = append(appendCLF(dst, t), ' ')
	_, offset := t.Zone()
	sign := byte('+')
	if offset < 0 {
		sign, offset = '-', -offset
	}
	dst = append(dst, sign)
	return appendDigits(dst, offset/3600*100+offset/60%60, 4)
}

func (it *item) appendAddress(dst []byte, r *Record) []byte {
	switch it.alias {
	case aliasci:
		return it.ip(dst, r.Client)
	case aliascp:
		return it.port(dst, r.Client)
	case aliasfi:
		return it.ip(dst, r.Local)
	case aliasfp:
		return it.port(dst, r.Local)
	case aliasbi:
		return it.serverSide(dst, r.Source, r.Unix && r.Tc >= 0)
	case aliasbp:
		return it.serverSide(dst, r.Source, r.Unix && r.Tc >= 0)
	}
	return it.serverSide(dst, r.Target, r.Unix)
}

// serverSide appends an address or port of the connection to a server: of a unix socket
// "unix" and 0.
func (it *item) serverSide(dst []byte, a netip.AddrPort, local bool) []byte {
	switch isIP := it.alias == aliasbi || it.alias == aliassi; {
	case isIP && local:
		return text(dst, it, []byte("unix"), rawText, "-")
	case isIP:
		return it.ip(dst, a)
	case local:
		return hexNumber(dst, it, 0, 4)
	}
	return it.port(dst, a)
}

func (it *item) ip(dst []byte, a netip.AddrPort) []byte {
	ip := a.Addr().Unmap()
	switch {
	case !ip.IsValid():
		return absent(dst, it)
	case it.flags&hexa == 0 || it.flags&(asJSON|asCBOR) != 0:
		var b [64]byte
		return text(dst, it, ip.WithZone("").AppendTo(b[:0]), rawText, "-")
	}
	start := len(dst)
	if ip.Is4() {
		b := ip.As4()
		dst = append(dst, b[:]...)
	} else {
		b := ip.As16()
		dst = append(dst, b[:]...)
	}
	return hexInPlace(dst, start)
}

func (it *item) port(dst []byte, a netip.AddrPort) []byte {
	if !a.Addr().IsValid() {
		return absent(dst, it)
	}
	return hexNumber(dst, it, int64(a.Port()), 4)
}

// appendCaptures appends captured headers: {a||b} or, CLF, one field for each. A
// frontend that captures none has not even the braces.
func (it *item) appendCaptures(dst []byte, r *Record) []byte {
	values := r.RequestHeaders
	if it.alias == aliashs || it.alias == aliashsl {
		values = r.ResponseHeaders
	}
	encoded := it.flags&(asJSON|asCBOR) != 0
	switch {
	case len(values) == 0 && encoded:
		return absent(dst, it)
	case len(values) == 0:
		return dst
	case it.alias == aliashrl || it.alias == aliashsl:
		return it.appendList(dst, values, encoded)
	case encoded:
		var b [512]byte
		return text(dst, it, appendBraces(b[:0], values, rawText, false), rawText, "")
	case it.flags&quote != 0:
		dst = append(dst, '"')
		dst = appendBraces(dst, values, headerText, it.flags&escape != 0)
		return append(dst, '"')
	}
	return appendBraces(dst, values, headerText, it.flags&escape != 0)
}

func appendBraces(dst []byte, values [][]byte, u unsafe, escapes bool) []byte {
	sep := byte('{')
	for _, v := range values {
		dst = append(dst, sep)
		dst = appendSafe(dst, v, u, escapes)
		sep = '|'
	}
	return append(dst, '}')
}

func (it *item) appendList(dst []byte, values [][]byte, encoded bool) []byte {
	switch {
	case it.flags&asJSON != 0:
		dst = append(dst, '[')
	case it.flags&asCBOR != 0:
		dst = appendCBORHead(dst, cborArray, uint64(len(values)))
	}
	for i, v := range values {
		if i > 0 && it.flags&asJSON != 0 {
			dst = append(dst, ", "...)
		} else if i > 0 && !encoded {
			dst = append(dst, ' ')
		}
		if v == nil {
			slot := *it
			slot.flags &^= mayBeEmpty // a slot keeps its place
			dst = absent(dst, &slot)
		} else {
			dst = text(dst, it, v, headerText, "")
		}
	}
	if it.flags&asJSON != 0 {
		dst = append(dst, ']')
	}
	return dst
}

var nul = []byte{0}

func (it *item) appendExpr(dst []byte, r *Record) []byte {
	v, ok := it.expr.Eval(r)
	if !ok {
		return absent(dst, it)
	}
	switch v.Kind {
	case Number, Boolean:
		switch {
		case it.flags&(asJSON|asCBOR) != 0 && v.Kind == Boolean && it.as == asIs:
			return boolean(dst, it, v.Int != 0)
		case it.flags&(asJSON|asCBOR) != 0, it.flags&quote == 0:
			return number(dst, it, v.Int, false)
		}
		dst = append(dst, '"')
		dst = number(dst, it, v.Int, false)
		return append(dst, '"')
	case Binary:
		if it.flags&asCBOR != 0 && it.as == asIs {
			return append(appendCBORHead(dst, cborBytes, uint64(len(v.Bytes))), v.Bytes...)
		}
	}
	u := exprText
	switch {
	case it.flags&binary != 0:
		u = rawText
	case it.flags&(asJSON|asCBOR) != 0:
	case it.flags&verbatim != 0:
		u, v.Bytes = rawText, untilNUL(v.Bytes)
	case it.flags&message != 0:
		if u = messageText; v.Kind == Binary {
			v.Bytes = untilNUL(v.Bytes)
		}
	}
	return text(dst, it, v.Bytes, u, "-")
}

// untilNUL is what a text in C is of b.
func untilNUL(b []byte) []byte {
	b, _, _ = bytes.Cut(b, nul)
	return b
}
