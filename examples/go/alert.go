package main

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

const (
	alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	shelf    = 30 * 24 * time.Hour
)

// shortNames are the characters that begin a readable number (GB/T 2260 codes).
var shortNames = map[string]string{
	"110000": "京", "120000": "津", "130000": "冀", "140000": "晋", "150000": "蒙", "210000": "辽", "220000": "吉",
	"230000": "黑", "310000": "沪", "320000": "苏", "330000": "浙", "340000": "皖", "350000": "闽", "360000": "赣",
	"370000": "鲁", "410000": "豫", "420000": "鄂", "430000": "湘", "440000": "粤", "450000": "桂", "460000": "琼",
	"500000": "渝", "510000": "川", "520000": "黔", "530000": "滇", "540000": "藏", "610000": "陕", "620000": "甘",
	"630000": "青", "640000": "宁", "650000": "新", "710000": "台", "810000": "港", "820000": "澳",
}

// submission is what a case system hands over (section 12).
type submission struct {
	ClientRef string         `json:"client_ref"`
	Type      string         `json:"type"`
	Status    string         `json:"status"`
	Audience  []string       `json:"audience"`
	Urgency   string         `json:"urgency"`
	Handling  string         `json:"handling"`
	Category  string         `json:"category"`
	Body      jsontext.Value `json:"body"`
}

// compose makes the record of an alert: header, sealed body, signature. A system in service stores these bytes
// before it writes them, and in doubt writes the same again.
func (p *province) compose(file string, head *message, now time.Time) ([]byte, *message, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, nil, err
	}
	var given submission
	if err := read(data, outLimit, &given); err != nil {
		return nil, nil, err
	}
	if given.Type != "alert" {
		return nil, nil, errors.New("this example sends alerts only")
	}
	now = now.UTC().Truncate(time.Millisecond)
	size, top, err := p.checkpoint(head.Content.Checkpoint, head.IssuedAt.Time)
	if err != nil {
		return nil, nil, err
	}
	id, seq := newID(now), head.Content.SettledSeq+1
	alert := &message{
		Network: p.network, ID: id, Thread: id, Type: "alert", Status: given.Status, Origin: p.code,
		Audience: given.Audience, IssuedAt: moment{now}, ExpiresAt: moment{now.Add(shelf)}, Refs: []ref{}, Schema: "alert/1.0",
		Seq: seq, Seen: &seen{size, hex.EncodeToString(top)}, Number: readableNumber(p.code, now.Year(), seq),
		Urgency: given.Urgency, Handling: given.Handling, Category: given.Category,
		Deadlines: &deadlines{moment{now.Add(2 * time.Hour)}, moment{now.Add(24 * time.Hour)}, moment{now.Add(72 * time.Hour)}, "双方协作协议"},
	}
	if err := p.seal(alert, given.Body, now); err != nil {
		return nil, nil, err
	}
	value, err := p.sign(alert)
	return value, alert, err
}

// sign writes the header as JSON once: these bytes are what is signed and sent.
func (p *province) sign(m *message) ([]byte, error) {
	payload, err := json.Marshal(m)
	if err != nil {
		return nil, err
	}
	signature := ed25519.Sign(p.messageKey, pae(messageType, payload))
	public := p.messageKey.Public().(ed25519.PublicKey)
	return json.Marshal(map[string]any{
		"message": map[string]any{
			"payload":     base64.StdEncoding.EncodeToString(payload),
			"payloadType": messageType,
			"signatures": []map[string]string{
				{"keyid": hex.EncodeToString(hash(public)), "sig": base64.StdEncoding.EncodeToString(signature)},
			},
		},
		"body": base64.StdEncoding.EncodeToString(m.body),
	})
}

// newID is a UUID of version 7.
func newID(at time.Time) string {
	var id [16]byte
	rand.Read(id[6:])
	binary.BigEndian.PutUint32(id[0:], uint32(at.UnixMilli()>>16))
	binary.BigEndian.PutUint16(id[4:], uint16(at.UnixMilli()))
	id[6], id[8] = id[6]&0x0F|0x70, id[8]&0x3F|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:])
}

// readableNumber has a check character by ISO 7064 MOD 37,36.
func readableNumber(code string, year int, serial int64) string {
	p := 36
	for _, character := range fmt.Sprintf("%s%04d%06d", code[:2], year, serial) {
		p += strings.IndexRune(alphabet, character)
		if p %= 36; p == 0 {
			p = 36
		}
		p = p * 2 % 37
	}
	return fmt.Sprintf("%s%04d-%06d-%c", shortNames[code], year, serial, alphabet[(37-p)%36])
}
