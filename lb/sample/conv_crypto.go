package sample

import (
	"bytes"
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/subtle"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"math/big"
)

// cryptoConverters decrypt and encrypt. A key that is a constant is prepared at load.
var cryptoConverters = []converter{
	{"aes_gcm_dec", []argKind{argInt, argKeyVar, argKeyVar, argKeyVar}, 4, Bin, Bin, runDecrypt, checkAES, "decrypt AES-GCM: bits, nonce, key, tag in base64 or variables; allocates"},
	{"aes_gcm_enc", []argKind{argInt, argKeyVar, argKeyVar, argVar}, 4, Bin, Bin, runEncrypt, checkAES, "encrypt by AES-GCM: bits, nonce, key in base64 or variables, variable for the tag; allocates"},
}

func checkAES(a []Arg) string {
	switch a[0].Int {
	case 128, 192, 256:
	default:
		return "the key has 128, 192 or 256 bits, not " + a[0].Str
	}
	if a[2].Var.Name == "" && len(a[2].B)*8 != int(a[0].Int) {
		return "the key has not " + a[0].Str + " bits"
	}
	return ""
}

// gcm makes the cipher of a converter's arguments, and returns its nonce.
func (c *Ctx) gcm(a []Arg) (aead cipher.AEAD, nonce []byte, ok bool) {
	key, ok := c.key(&a[2])
	if !ok || len(key)*8 != int(a[0].Int) {
		return nil, nil, false
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, nil, false
	}
	if nonce, ok = c.key(&a[1]); !ok || len(nonce) == 0 {
		return nil, nil, false
	}
	aead, err = cipher.NewGCMWithNonceSize(block, len(nonce))
	return aead, nonce, err == nil
}

// The scratch areas are too few for all the pieces here, so they are put together
// in memory of their own.

func runDecrypt(c *Ctx, a []Arg, s *Sample) bool {
	text := bytes.Clone(s.B)
	aead, nonce, ok := c.gcm(a)
	if !ok {
		return false
	}
	nonce = bytes.Clone(nonce)
	tag, ok := c.key(&a[3])
	if !ok {
		return false
	}
	plain, err := aead.Open(nil, nonce, append(text, tag...), nil)
	return err == nil && len(plain) <= scratchSize && s.setBin(append(c.room(), plain...))
}

func runEncrypt(c *Ctx, a []Arg, s *Sample) bool {
	text := bytes.Clone(s.B)
	aead, nonce, ok := c.gcm(a)
	if !ok || len(text) > scratchSize {
		return false
	}
	sealed := aead.Seal(nil, nonce, text, nil)
	tag := Sample{Type: Str, B: base64.StdEncoding.AppendEncode(nil, sealed[len(text):])}
	return c.SetVar(a[3].Var, &tag) && s.setBin(append(c.room(), sealed[:len(text)]...))
}

// What jwt_verify says, as the manual lists it.
const (
	jwtWrong      = 0
	jwtRight      = 1
	jwtNoAlg      = -1
	jwtUnmanaged  = -2
	jwtBadToken   = -3
	jwtUnknownKey = -5
)

// jwtKey is what the parser makes of jwt_verify's second argument.
type jwtKey struct {
	public  crypto.PublicKey // nil: the argument is a secret
	problem string           // why there is no public key
}

// parsePublicKey reads a certificate or a public key in PEM.
func parsePublicKey(text string) (crypto.PublicKey, error) {
	for rest := []byte(text); ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return nil, errors.New("there is no certificate or public key in it")
		}
		switch block.Type {
		case "CERTIFICATE":
			cert, err := x509.ParseCertificate(block.Bytes)
			if err != nil {
				return nil, err
			}
			return cert.PublicKey, nil
		case "PUBLIC KEY":
			return x509.ParsePKIXPublicKey(block.Bytes)
		case "RSA PUBLIC KEY":
			return x509.ParsePKCS1PublicKey(block.Bytes)
		}
	}
}

func checkJWTVerify(a []Arg) string {
	if a[0].Var.Name != "" {
		return ""
	}
	switch alg := a[0].Str; alg {
	case "HS256", "HS384", "HS512", "none":
	case "RS256", "RS384", "RS512", "ES256", "ES384", "ES512":
		if k, _ := a[1].Aux.(jwtKey); k.public == nil && a[1].Var.Name == "" {
			return "algorithm " + alg + " needs a certificate or public key: file '" + a[1].Str + "': " + k.problem
		}
	default:
		return "algorithm '" + alg + "' is not one of HS256, HS384, HS512, RS256, RS384, RS512, ES256, ES384, ES512"
	}
	return ""
}

func runJWTVerify(c *Ctx, a []Arg, s *Sample) bool { return s.setInt(c.verifyJWT(a, s.B)) }

func (c *Ctx) verifyJWT(a []Arg, token []byte) int64 {
	var name [8]byte
	alg := a[0].B
	if a[0].Var.Name != "" {
		v, ok := c.Var(a[0].Var)
		if !ok {
			return jwtNoAlg
		}
		alg = c.AsText(&v)
	}
	if len(alg) > len(name) {
		return jwtNoAlg
	}
	alg = name[:copy(name[:], alg)]
	if len(alg) != 5 && string(alg) != "none" {
		return jwtNoAlg
	}
	if string(alg[:2]) == "PS" {
		return jwtUnmanaged
	}
	header, ok := tokenPart(token, 0)
	if !ok {
		return jwtBadToken
	}
	text, ok := c.decodeURL64(header)
	if !ok {
		return jwtBadToken
	}
	encoded, _ := tokenPart(token, 2)
	signature, ok := c.decodeURL64(encoded)
	if !ok {
		return jwtBadToken
	}
	signed := token[:len(token)-len(encoded)-1]
	if string(alg) == "none" {
		if len(signature) == 0 && bytes.Contains(text, alg) {
			return jwtRight
		}
		return jwtBadToken
	}
	if len(signature) == 0 {
		return jwtBadToken
	}
	d, known := jwtDigests[string(alg[2:])]
	if !known {
		return jwtNoAlg
	}
	switch string(alg[:2]) {
	case "HS":
		return c.verifyHS(d, &a[1], signed, signature)
	case "RS", "ES":
		return verifyPublic(alg[0] == 'E', d, &a[1], signed, signature)
	}
	return jwtNoAlg
}

// jwtDigest is the digest of an algorithm's number of bits.
type jwtDigest struct {
	digest
	hash crypto.Hash
}

var jwtDigests = map[string]jwtDigest{
	"256": {digests["sha256"], crypto.SHA256},
	"384": {digests["sha384"], crypto.SHA384},
	"512": {digests["sha512"], crypto.SHA512},
}

func (c *Ctx) verifyHS(d jwtDigest, key *Arg, signed, signature []byte) int64 {
	secret := key.B
	if key.Var.Name != "" {
		v, ok := c.Var(key.Var)
		if !ok {
			return jwtUnknownKey
		}
		secret = c.AsText(&v)
	}
	own := append(c.sig[:0], signature[:min(len(signature), len(c.sig))]...)
	mac, ok := c.hmac(d.digest, secret, signed)
	if !ok || len(own) != len(signature) || subtle.ConstantTimeCompare(mac, own) != 1 {
		return jwtWrong
	}
	return jwtRight
}

func verifyPublic(elliptic bool, d jwtDigest, key *Arg, signed, signature []byte) int64 {
	k, _ := key.Aux.(jwtKey)
	sum := d.sum(nil, signed)
	switch public := k.public.(type) {
	case *rsa.PublicKey:
		if !elliptic && rsa.VerifyPKCS1v15(public, d.hash, sum, signature) == nil {
			return jwtRight
		}
	case *ecdsa.PublicKey:
		// RFC 7518 section 3.4: both numbers, of the curve's size.
		size := (public.Curve.Params().BitSize + 7) / 8
		if !elliptic || len(signature) != 2*size {
			return jwtWrong
		}
		r, s := new(big.Int).SetBytes(signature[:size]), new(big.Int).SetBytes(signature[size:])
		if ecdsa.Verify(public, sum, r, s) {
			return jwtRight
		}
	default:
		return jwtUnknownKey
	}
	return jwtWrong
}
