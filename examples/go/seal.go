package main

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/hkdf"
	"crypto/hpke"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"time"
)

const (
	suite    = "X25519-SHA256-A256GCM"
	padding  = 4096
	saltSize = 32
	cekSize  = 32
	gcmTag   = 16
	wrapSize = 80
)

type wrap struct {
	Code string `json:"code"`
	Kid  string `json:"kid"`
	Wrap string `json:"wrap"`
}

// sealed is the part of a header that says how to open the body (section 6).
type sealed struct {
	Suite         string `json:"suite"`
	To            []wrap `json:"to"`
	Commit        string `json:"commit"`
	CtSize        int    `json:"ct_size"`
	CtSha256      string `json:"ct_sha256"`
	ContentDigest string `json:"content_digest"`
}

var errCannotOpen = errors.New("TB-234: the body can't be opened")

// checkSealed: sealed to the audience in order, then the origin, each with a key that was good then.
func (p *province) checkSealed(header *message, at time.Time) error {
	parties := append(append([]string{}, header.Audience...), header.Origin)
	if header.Sealed.Suite != suite || header.Sealed.CtSize%padding != gcmTag {
		return errors.New("TB-301: suite or size")
	}
	for _, each := range header.Sealed.To {
		if wrapped, err := decode(each.Wrap); err != nil || len(wrapped) != wrapSize {
			return errors.New("TB-301: a wrap")
		}
	}
	if !slices.EqualFunc(header.Sealed.To, parties, func(each wrap, code string) bool { return each.Code == code }) {
		return errors.New("TB-230: sealed to others")
	}
	for _, each := range header.Sealed.To {
		found := p.directory.key(each.Kid)
		if found == nil || found.Use != "seal" || found.Owner != each.Code || !found.usable(at) {
			return errors.New("TB-231: a seal key that isn't valid")
		}
	}
	if len(header.body) != header.Sealed.CtSize || hex.EncodeToString(hash(header.body)) != header.Sealed.CtSha256 {
		return errors.New("TB-233: another ciphertext")
	}
	return nil
}

// context is what a body is bound to: whoever changes a word of it can't open the body any more.
func (m *message) context(contentDigest string) string {
	return strings.Join([]string{"tongbao/seal/v1", suite, m.Network, m.ID, m.Thread, m.Type, m.Status, m.Origin,
		strings.Join(m.Audience, ","), m.Schema, contentDigest}, "\n") + "\n"
}

// open gives a body that was sealed to us. A key that isn't in memory is looked for in the folder again: a new
// one lies there before anybody seals to it.
func (p *province) open(m *message) ([]byte, error) {
	ctx := m.context(m.Sealed.ContentDigest)
	for _, each := range m.Sealed.To {
		if each.Code != p.code {
			continue
		}
		own, err := p.sealKey(each.Kid)
		if err != nil {
			return nil, err
		}
		wrapped, err := decode(each.Wrap)
		if err != nil {
			return nil, err
		}
		info := []byte(ctx + each.Code + "\n" + each.Kid + "\n")
		cek, err := hpke.Open(own, hpke.HKDFSHA256(), hpke.AES256GCM(), info, wrapped)
		if err != nil {
			return nil, errCannotOpen
		}
		return m.openWith(cek, ctx)
	}
	return nil, errCannotOpen
}

func (m *message) openWith(cek []byte, ctx string) ([]byte, error) {
	box, commit, err := derive(cek, ctx)
	if err != nil || subtle.ConstantTimeCompare([]byte(commit), []byte(m.Sealed.Commit)) != 1 {
		return nil, errCannotOpen
	}
	padded, err := box.Open(nil, make([]byte, box.NonceSize()), m.body, nil)
	if err != nil || len(padded) < saltSize+4 {
		return nil, errCannotOpen
	}
	salt, rest := padded[:saltSize], padded[saltSize+4:]
	size := int(binary.BigEndian.Uint32(padded[saltSize:]))
	if size > len(rest) || !bytes.Equal(pad(salt, rest[:size]), padded) || contentDigest(salt, rest[:size]) != m.Sealed.ContentDigest {
		return nil, errCannotOpen
	}
	return rest[:size], gate(rest[:size], payloadLimit)
}

// seal closes a body to the audience in order and to ourselves, and puts `sealed` into the header.
func (p *province) seal(m *message, body []byte, at time.Time) error {
	cek, salt := make([]byte, cekSize), make([]byte, saltSize)
	rand.Read(cek)
	rand.Read(salt)
	digest := contentDigest(salt, body)
	ctx := m.context(digest)
	box, commit, err := derive(cek, ctx)
	if err != nil {
		return err
	}
	m.body = box.Seal(nil, make([]byte, box.NonceSize()), pad(salt, body), nil)
	m.Sealed = &sealed{Suite: suite, Commit: commit, CtSize: len(m.body), CtSha256: hex.EncodeToString(hash(m.body)), ContentDigest: digest}
	for _, code := range append(append([]string{}, m.Audience...), p.code) {
		to := p.newestSealKey(code, at)
		if to == nil {
			return errors.New("TB-231: no seal key of " + code)
		}
		public, err := hpke.DHKEM(ecdh.X25519()).NewPublicKey(to.raw())
		if err != nil {
			return err
		}
		wrapped, err := hpke.Seal(public, hpke.HKDFSHA256(), hpke.AES256GCM(), []byte(ctx+code+"\n"+to.Kid+"\n"), cek)
		if err != nil {
			return err
		}
		m.Sealed.To = append(m.Sealed.To, wrap{code, to.Kid, base64.StdEncoding.EncodeToString(wrapped)})
	}
	return nil
}

func (p *province) newestSealKey(code string, at time.Time) *key {
	var newest *key
	for each := range p.directory.Keys {
		found := &p.directory.Keys[each]
		if found.Use == "seal" && found.Owner == code && found.usable(at) &&
			(newest == nil || found.ValidFrom.After(newest.ValidFrom.Time)) {
			newest = found
		}
	}
	return newest
}

func derive(cek []byte, ctx string) (cipher.AEAD, string, error) {
	okm, err := hkdf.Key(sha256.New, cek, nil, "tongbao/body/v1\n"+ctx, 64)
	if err != nil {
		return nil, "", err
	}
	block, err := aes.NewCipher(okm[:32])
	if err != nil {
		return nil, "", err
	}
	box, err := cipher.NewGCM(block)
	return box, hex.EncodeToString(okm[32:]), err
}

func pad(salt, body []byte) []byte {
	frame := binary.BigEndian.AppendUint32(append([]byte{}, salt...), uint32(len(body)))
	frame = append(frame, body...)
	return append(frame, make([]byte, (padding-len(frame)%padding)%padding)...)
}

func contentDigest(salt, body []byte) string {
	return digestOf(bytes.Join([][]byte{[]byte("tongbao/content/v1\n"), salt, body}, nil))
}
