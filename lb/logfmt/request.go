package logfmt

import "bytes"

// cutRequest splits a request line. A line that was cut short has no version.
func cutRequest(line []byte) (method, target, version []byte) {
	method, rest, _ := bytes.Cut(line, []byte(" "))
	if i := bytes.LastIndexByte(rest, ' '); i >= 0 {
		return method, rest[:i], rest[i+1:]
	}
	return method, rest, nil
}

// cutQuery splits a target before its question mark.
func cutQuery(target []byte) (path, query []byte) {
	if i := bytes.IndexByte(target, '?'); i >= 0 {
		return target[:i], target[i:]
	}
	return target, nil
}

// pathOnly takes scheme and authority off; an asterisk and an authority alone have
// no path.
func pathOnly(path []byte) []byte {
	if len(path) > 0 && path[0] == '/' {
		return path
	}
	i := bytes.Index(path, []byte("://"))
	if i < 0 {
		return nil
	}
	rest := path[i+len("://"):]
	if i = bytes.IndexByte(rest, '/'); i < 0 {
		return nil
	}
	return rest[i:]
}
