package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"
)

const (
	messageType   = "application/vnd.tongbao.message.v1+json"
	directoryType = "application/vnd.tongbao.directory.v1+json"
	rootType      = "application/vnd.tongbao.root.v1+json"
	documentLimit = inLimit
)

// envelope is DSSE v1 (section 4).
type envelope struct {
	Payload     string `json:"payload"`
	PayloadType string `json:"payloadType"`
	Signatures  []struct {
		KeyID string `json:"keyid"`
		Sig   string `json:"sig"`
	} `json:"signatures"`
}

type namedKey struct {
	Kid    string `json:"kid"`
	Public string `json:"public"`
}

type keySet struct {
	Threshold int        `json:"threshold"`
	Keys      []namedKey `json:"keys"`
}

type root struct {
	Network       string `json:"network"`
	Version       int64  `json:"version"`
	IssuedAt      moment `json:"issued_at"`
	ExpiresAt     moment `json:"expires_at"`
	DirectoryKeys keySet `json:"directory_keys"`
	RootKeys      keySet `json:"root_keys"`
}

type key struct {
	Kid              string   `json:"kid"`
	Owner            string   `json:"owner"`
	Use              string   `json:"use"`
	Alg              string   `json:"alg"`
	Public           string   `json:"public"`
	MaySign          []string `json:"may_sign,omitzero"`
	ValidFrom        moment   `json:"valid_from"`
	ValidUntil       moment   `json:"valid_until"`
	CompromisedSince moment   `json:"compromised_since,omitzero"`
}

type directory struct {
	Network      string        `json:"network"`
	Version      int64         `json:"version"`
	IssuedAt     moment        `json:"issued_at"`
	ExpiresAt    moment        `json:"expires_at"`
	Participants []participant `json:"participants"`
	Keys         []key         `json:"keys"`
	Agreements   []any         `json:"agreements"`
	Floor        any           `json:"floor,omitzero"`
	Postings     []any         `json:"postings"`
	rootVersion  int64
}

type participant struct {
	Code    string   `json:"code"`
	NameZh  string   `json:"name_zh"`
	NameEn  string   `json:"name_en"`
	Status  string   `json:"status"`
	Schemas []string `json:"schemas"`
}

// trustFile is trust.json, and a record of exchange.directory.v1.
type trustFile struct {
	Roots     []envelope `json:"roots"`
	Directory envelope   `json:"directory"`
}

// moment is a time as section 2 writes it.
type moment struct{ time.Time }

const layout = "2006-01-02T15:04:05.000Z"

func (m *moment) UnmarshalText(text []byte) (err error) {
	m.Time, err = time.Parse(layout, string(text))
	if err == nil && m.UTC().Format(layout) != string(text) {
		return errors.New("TB-301: time")
	}
	return err
}

func (m moment) MarshalText() ([]byte, error) { return []byte(m.UTC().Format(layout)), nil }

func (k *key) usable(at time.Time) bool {
	before := k.CompromisedSince.IsZero() || at.Before(k.CompromisedSince.Time)
	return before && !at.Before(k.ValidFrom.Time) && at.Before(k.ValidUntil.Time)
}

func (k *key) raw() []byte { return publicOf(k.Public, k.Kid) }

// publicOf is a raw public key, which must be what its name says; nil otherwise.
func publicOf(text, kid string) []byte {
	raw, err := hex.DecodeString(text)
	named := sha256.Sum256(raw)
	if err != nil || len(raw) != 32 || hex.EncodeToString(named[:]) != kid {
		return nil
	}
	return raw
}

func (d *directory) key(kid string) *key {
	at := slices.IndexFunc(d.Keys, func(each key) bool { return each.Kid == kid })
	if at < 0 {
		return nil
	}
	return &d.Keys[at]
}

func pae(payloadType string, payload []byte) []byte {
	head := fmt.Sprintf("DSSEv1 %d %s %d ", len(payloadType), payloadType, len(payload))
	return append([]byte(head), payload...)
}

// payloadSignedBy gives the payload if as many distinct keys of the set signed it as the threshold demands.
func (e *envelope) payloadSignedBy(set keySet, payloadType string) ([]byte, error) {
	payload, err := decode(e.Payload)
	if err != nil {
		return nil, err
	}
	if e.PayloadType != payloadType {
		return nil, errors.New("TB-113: payload type")
	}
	good := map[string]bool{}
	for _, signature := range e.Signatures {
		sig, err := decode(signature.Sig)
		if err != nil {
			return nil, err
		}
		for _, each := range set.Keys {
			public := publicOf(each.Public, each.Kid)
			if each.Kid == signature.KeyID && public != nil && ed25519.Verify(public, pae(payloadType, payload), sig) {
				good[each.Kid] = true
			}
		}
	}
	if len(good) < set.Threshold {
		return nil, errors.New("TB-220: too few signatures")
	}
	return payload, nil
}

// readDocument has a code of its own for a text that passes the gate and is no such document.
func readDocument(data []byte, limit int, into any) error {
	if err := gate(data, limit); err != nil {
		return err
	}
	if err := read(data, limit, into); err != nil {
		return fmt.Errorf("TB-221: %w", err)
	}
	return nil
}

// smallOrder holds the points of small order (little endian, without the top bit) of Ed25519 and of X25519: under
// such a key one signature fits any message, and a secret agreed with it is known to all.
var smallOrder = map[string][]string{
	"Ed25519": {
		"0000000000000000000000000000000000000000000000000000000000000000",
		"0100000000000000000000000000000000000000000000000000000000000000",
		"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
		"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	},
	"X25519": {
		"0000000000000000000000000000000000000000000000000000000000000000",
		"0100000000000000000000000000000000000000000000000000000000000000",
		"e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
		"5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	},
}

// checkKeys: every key bears its own name, is of no small order, and is listed once.
func (d *directory) checkKeys() error {
	listed := map[string]bool{}
	for each := range d.Keys {
		if err := checkKey(&d.Keys[each]); err != nil {
			return err
		}
		if listed[d.Keys[each].Kid] {
			return errors.New("TB-221: a key twice")
		}
		listed[d.Keys[each].Kid] = true
	}
	return nil
}

func checkKey(k *key) error {
	raw := bytes.Clone(k.raw())
	if raw == nil {
		return errors.New("TB-221: a key under another name")
	}
	raw[31] &= 0x7F
	if slices.Contains(smallOrder[k.Alg], hex.EncodeToString(raw)) {
		return errors.New("TB-225: a key of small order")
	}
	return nil
}

func (s keySet) check() error {
	for _, each := range s.Keys {
		if err := checkKey(&key{Kid: each.Kid, Public: each.Public, Alg: "Ed25519"}); err != nil {
			return err
		}
	}
	if s.Threshold < 1 || s.Threshold > len(s.Keys) {
		return errors.New("TB-221: a threshold that can't be met")
	}
	return nil
}

// pin reads the root that was given by hand: it vouches for itself.
func pin(data []byte, network string) (*root, error) {
	var signed envelope
	if err := read(data, inLimit, &signed); err != nil {
		return nil, err
	}
	return rootOf(&signed, network)
}

func rootOf(signed *envelope, network string) (*root, error) {
	payload, err := decode(signed.Payload)
	if err != nil {
		return nil, err
	}
	var found root
	if err := readDocument(payload, documentLimit, &found); err != nil {
		return nil, err
	}
	for _, set := range []keySet{found.RootKeys, found.DirectoryKeys} {
		if err := set.check(); err != nil {
			return nil, err
		}
	}
	if found.Network != network {
		return nil, errors.New("TB-224: another network")
	}
	_, err = signed.payloadSignedBy(found.RootKeys, rootType)
	return &found, err
}

// verifiedDirectory follows the roots from the pinned one and gives the directory under the last (section 8);
// a root older than the newest one seen so far is a rollback.
func (p *province) verifiedDirectory(data []byte, newestRoot int64) (*directory, error) {
	var file trustFile
	if err := readDocument(data, inLimit, &file); err != nil {
		return nil, err
	}
	if file.Roots == nil || file.Directory.Payload == "" {
		return nil, errors.New("TB-221: no trust file")
	}
	trusted := p.pinned
	for each := range file.Roots {
		next, err := rootOf(&file.Roots[each], p.network)
		if err != nil {
			return nil, err
		}
		if next.Version <= trusted.Version {
			continue
		}
		if _, err := file.Roots[each].payloadSignedBy(trusted.RootKeys, rootType); err != nil {
			return nil, err
		}
		trusted = next
	}
	if trusted.Version < newestRoot {
		return nil, errors.New("TB-222: an old root")
	}
	payload, err := file.Directory.payloadSignedBy(trusted.DirectoryKeys, directoryType)
	if err != nil {
		return nil, err
	}
	var found directory
	if err := readDocument(payload, documentLimit, &found); err != nil {
		return nil, err
	}
	if err := found.checkKeys(); err != nil {
		return nil, err
	}
	if found.Network != p.network {
		return nil, errors.New("TB-224: another network")
	}
	found.rootVersion = trusted.Version
	if trusted.ExpiresAt.Before(found.ExpiresAt.Time) {
		found.ExpiresAt = trusted.ExpiresAt
	}
	return &found, nil
}

// followDirectory takes the newest directory of its topic that verifies. One that has expired decides nothing.
func (p *province) followDirectory(ctx context.Context) error {
	topic, err := p.reader("exchange.directory.v1")
	if err != nil {
		return err
	}
	defer topic.Close()
	for !topic.atEnd() {
		values, err := topic.next(ctx)
		if err != nil {
			return err
		}
		for _, value := range values {
			found, err := p.verifiedDirectory(value, p.newestRoot)
			if err == nil && (p.directory == nil || found.Version > p.directory.Version) {
				p.directory, p.newestRoot = found, found.rootVersion
			}
		}
	}
	if p.directory == nil || !time.Now().Before(p.directory.ExpiresAt.Time) {
		return errors.New("no directory in date: wait for one, send and refuse nothing")
	}
	return nil
}
