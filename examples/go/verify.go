package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

const ahead = 120 * time.Second

// record is a value of an `out` or `in` topic (section 3).
type record struct {
	Message envelope       `json:"message"`
	Body    string         `json:"body,omitzero"`
	Stamp   jsontext.Value `json:"stamp,omitzero"`
}

type stamp struct {
	Leaf struct {
		Index      int64  `json:"index"`
		Digest     string `json:"digest"`
		AdmittedAt moment `json:"admitted_at"`
		Directory  int64  `json:"directory"`
	} `json:"leaf"`
	Proof       []string `json:"proof"`
	Checkpoint  string   `json:"checkpoint"`
	DeliverySeq int64    `json:"delivery_seq"`
}

type ref struct {
	ID       string `json:"id"`
	Digest   string `json:"digest"`
	Relation string `json:"relation"`
}

type seen struct {
	Size int64  `json:"size"`
	Root string `json:"root"`
}

type deadlines struct {
	SignBy          moment `json:"sign_by"`
	FirstFeedbackBy moment `json:"first_feedback_by"`
	ResultBy        moment `json:"result_by"`
	Basis           string `json:"basis"`
}

// message is a signed header (section 5) with the ciphertext that came beside it.
type message struct {
	Network   string     `json:"network"`
	ID        string     `json:"id"`
	Thread    string     `json:"thread"`
	Type      string     `json:"type"`
	Status    string     `json:"status"`
	Origin    string     `json:"origin"`
	Audience  []string   `json:"audience"`
	IssuedAt  moment     `json:"issued_at"`
	ExpiresAt moment     `json:"expires_at"`
	Refs      []ref      `json:"refs"`
	Schema    string     `json:"schema"`
	Seq       int64      `json:"seq,omitzero"`
	Seen      *seen      `json:"seen,omitzero"`
	Number    string     `json:"number,omitzero"`
	Urgency   string     `json:"urgency,omitzero"`
	Handling  string     `json:"handling,omitzero"`
	Category  string     `json:"category,omitzero"`
	Deadlines *deadlines `json:"deadlines,omitzero"`
	Sealed    *sealed    `json:"sealed,omitzero"`
	Content   *content   `json:"content,omitzero"`
	body      []byte
}

// content is what receipts, notices and heads say in the open; each has its own part of these fields.
type content struct {
	Items         []item    `json:"items,omitzero"`
	Kind          string    `json:"kind,omitzero"`
	Of            string    `json:"of,omitzero"`
	Digest        string    `json:"digest,omitzero"`
	At            moment    `json:"at,omitzero"`
	Index         *int64    `json:"index,omitzero"`
	Code          string    `json:"code,omitzero"`
	Record        *place    `json:"record,omitzero"`
	Due           string    `json:"due,omitzero"`
	By            moment    `json:"by,omitzero"`
	Key           string    `json:"key,omitzero"`
	Since         moment    `json:"since,omitzero"`
	SettledSeq    int64     `json:"settled_seq,omitzero"`
	Holes         [][]int64 `json:"holes,omitzero"`
	OutNextOffset int64     `json:"out_next_offset,omitzero"`
	DeliverySeq   int64     `json:"delivery_seq,omitzero"`
	Directory     *version  `json:"directory,omitzero"`
	Checkpoint    string    `json:"checkpoint,omitzero"`
}

type place struct {
	Offset int64  `json:"offset"`
	Sha256 string `json:"sha256"`
}

type version struct {
	Version int64  `json:"version"`
	Digest  string `json:"digest"`
}

type item struct {
	Of          string   `json:"of,omitzero"`
	Digest      string   `json:"digest,omitzero"`
	Stage       string   `json:"stage"`
	At          moment   `json:"at"`
	By          *officer `json:"by,omitzero"`
	Code        string   `json:"code,omitzero"`
	DeliverySeq int64    `json:"delivery_seq,omitzero"`
}

type officer struct {
	Unit       string `json:"unit"`
	OfficerRef string `json:"officer_ref"`
}

// errPassed is for a head that has expired: it says nothing any more.
var errPassed = errors.New("passed")

// verified believes a record only if stamp, signature, times and audience hold (section 10, steps 1 to 3). An
// error that begins with `hold` is our own trouble: a system in service keeps its offset and reads again later.
func (p *province) verified(ctx context.Context, value []byte, now time.Time) (*message, error) {
	var found record
	if err := read(value, inLimit, &found); err != nil {
		return nil, err
	}
	payload, err := decode(found.Message.Payload)
	if err != nil {
		return nil, err
	}
	var header message
	if err := read(payload, payloadLimit, &header); err != nil {
		return nil, err
	}
	entry, err := stampOf(found.Stamp, &header)
	if err != nil {
		return nil, err
	}
	if entry == nil && !header.ExpiresAt.After(now) {
		return nil, errPassed
	}
	if err := p.keepUp(ctx, entry, &header); err != nil {
		return nil, err
	}
	at := now
	if entry != nil {
		at = entry.Leaf.AdmittedAt.Time
		if err := p.checkStamp(entry, digestOf(payload), now); err != nil {
			return nil, err
		}
	}
	if !now.Before(p.directory.ExpiresAt.Time) {
		return nil, errors.New("hold: our directory has expired")
	}
	if err := p.checkSignature(&found.Message, payload, &header, at); err != nil {
		return nil, err
	}
	if header.body, err = decode(found.Body); err != nil {
		return nil, err
	}
	return &header, p.checkHeader(&header, at)
}

// stampOf: everything but a head has one.
func stampOf(data jsontext.Value, header *message) (*stamp, error) {
	if (data == nil) != (header.Type == "head") {
		return nil, errors.New("TB-210: a stamp stands exactly where it belongs")
	}
	if data == nil {
		return nil, nil
	}
	var found stamp
	if err := read(data, inLimit, &found); err != nil {
		return nil, fmt.Errorf("TB-210: %w", err)
	}
	return &found, nil
}

// keepUp reads the directory anew where the exchange speaks of a newer one than ours: it may have new keys.
func (p *province) keepUp(ctx context.Context, entry *stamp, header *message) error {
	var named int64
	if entry != nil {
		named = entry.Leaf.Directory
	} else if header.Content != nil && header.Content.Directory != nil {
		named = header.Content.Directory.Version
	}
	if named > p.directory.Version {
		if err := p.follow(ctx); err != nil {
			return err
		}
	}
	if named > p.directory.Version {
		return fmt.Errorf("hold: directory %d is needed, %d is here", named, p.directory.Version)
	}
	return nil
}

// checkStamp proves that the exchange entered the message into its log before it delivered it (section 7).
func (p *province) checkStamp(stamp *stamp, digest string, now time.Time) error {
	leaf := stamp.Leaf
	if leaf.Digest != digest {
		return errors.New("TB-215: the stamp of another message")
	}
	if leaf.AdmittedAt.After(now.Add(ahead)) {
		return errors.New("hold: our clock is behind")
	}
	size, top, err := p.checkpoint(stamp.Checkpoint, leaf.AdmittedAt.Time)
	if err != nil {
		return err
	}
	lines := fmt.Sprintf("tongbao/leaf/v1\n%s\nadmitted\n%d\n%s\n%s\n%d\n",
		p.network, leaf.Index, leaf.Digest, leaf.AdmittedAt.UTC().Format(layout), leaf.Directory)
	return checkInclusion(hash([]byte{0}, []byte(lines)), leaf.Index, size, stamp.Proof, top)
}

// checkpoint gives size and root of a signed note that a key of the exchange signed.
func (p *province) checkpoint(note string, at time.Time) (int64, []byte, error) {
	text, signatures, found := strings.Cut(note, "\n\n")
	var size int64
	var rootText string
	name := "tongbao/" + p.network
	lines := strings.Split(text, "\n")
	if !found || len(lines) != 3 || !strings.HasPrefix(lines[0], "tongbao/") {
		return 0, nil, errors.New("TB-211: no checkpoint")
	}
	if lines[0] != name {
		return 0, nil, errors.New("TB-213: a checkpoint of another network")
	}
	if _, err := fmt.Sscanf(lines[1], "%d", &size); err != nil || fmt.Sprint(size) != lines[1] {
		return 0, nil, errors.New("TB-211: size")
	}
	rootText = lines[2]
	top, err := decode(rootText)
	if err != nil || len(top) != sha256.Size {
		return 0, nil, errors.New("TB-211: root")
	}
	for line := range strings.Lines(signatures) {
		signature, ours := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "— "+name+" ")
		data, err := base64.StdEncoding.DecodeString(signature)
		if !ours || err != nil || len(data) != 4+ed25519.SignatureSize {
			continue
		}
		for _, each := range p.directory.Keys {
			if each.Use != "checkpoint" || each.Owner != exchange || !each.usable(at) {
				continue
			}
			if bytes.Equal(data[:4], hash([]byte(name), []byte("\n\x01"), each.raw())[:4]) {
				if !ed25519.Verify(each.raw(), []byte(text+"\n"), data[4:]) {
					return 0, nil, errors.New("TB-212: the checkpoint's signature")
				}
				return size, top, nil
			}
		}
	}
	return 0, nil, errors.New("TB-212: no signature of the exchange")
}

// checkInclusion is RFC 9162, 2.1.3.2.
func checkInclusion(leaf []byte, index, size int64, proof []string, top []byte) error {
	if index < 0 || index >= size {
		return errors.New("TB-214: index")
	}
	fn, sn, computed := index, size-1, leaf
	for _, text := range proof {
		node, err := hex.DecodeString(text)
		if err != nil || len(node) != sha256.Size || sn == 0 {
			return errors.New("TB-214: proof")
		}
		if fn&1 == 1 || fn == sn {
			computed = hash([]byte{1}, node, computed)
			for fn&1 == 0 && fn != 0 {
				fn, sn = fn>>1, sn>>1
			}
		} else {
			computed = hash([]byte{1}, computed, node)
		}
		fn, sn = fn>>1, sn>>1
	}
	if sn != 0 || !bytes.Equal(computed, top) {
		return errors.New("TB-214: the leaf is not in the tree")
	}
	return nil
}

// checkSignature: exactly one, by a key for messages of the message's origin, that may sign the type.
func (p *province) checkSignature(signed *envelope, payload []byte, header *message, at time.Time) error {
	if signed.PayloadType != messageType || len(signed.Signatures) != 1 {
		return errors.New("TB-112: one signature over a message")
	}
	signer := p.directory.key(signed.Signatures[0].KeyID)
	if signer == nil || signer.Use != "message" || signer.raw() == nil {
		return errors.New("TB-201: the key is unknown")
	}
	if header.Type == "head" && signer.Owner != exchange {
		return errors.New("TB-203: a head by somebody else than the exchange")
	}
	if !signer.usable(at) {
		return errors.New("TB-204: the key isn't valid")
	}
	sig, err := decode(signed.Signatures[0].Sig)
	if err != nil {
		return err
	}
	if !ed25519.Verify(signer.raw(), pae(messageType, payload), sig) {
		return errors.New("TB-206: the signature")
	}
	if !slices.Contains(signer.MaySign, header.Type) {
		return errors.New("TB-207: the key isn't for this type")
	}
	if signer.Owner != header.Origin {
		return errors.New("TB-304: the key is another's")
	}
	return nil
}

func (p *province) checkHeader(header *message, at time.Time) error {
	switch {
	case header.Network != p.network:
		return errors.New("TB-302: another network")
	case !slices.Contains(header.Audience, p.code):
		return errors.New("TB-415: not to us")
	case header.IssuedAt.After(at.Add(ahead)):
		return errors.New("TB-307: issued in the future")
	case !header.ExpiresAt.After(at):
		return errors.New("TB-308: expired at its entry")
	case (header.Sealed != nil) != (len(header.body) > 0):
		return errors.New("TB-232: a body exactly where something is sealed")
	case (header.Type == "head" || header.Type == "notice" || header.Type == "receipt") != (header.Content != nil):
		return errors.New("TB-301: content")
	case header.Sealed != nil:
		return p.checkSealed(header, at)
	}
	return nil
}

func digestOf(data []byte) string { return "sha256:" + hex.EncodeToString(hash(data)) }

func hash(parts ...[]byte) []byte {
	state := sha256.New()
	for _, part := range parts {
		state.Write(part)
	}
	return state.Sum(nil)
}
