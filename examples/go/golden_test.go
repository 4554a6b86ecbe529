package main

import (
	"bytes"
	"context"
	"crypto/ecdh"
	"crypto/hpke"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const vectors = "../../schemas/vectors"

// families are those of the golden messages whose rules this example has in full.
var families = []string{"signers", "stamps", "seals", "texts"}

type world struct {
	Network    string                     `json:"network"`
	PinnedRoot json.RawMessage            `json:"pinned_root"`
	Trust      map[string]json.RawMessage `json:"trust"`
	Secrets    map[string]string          `json:"secrets"`
}

type family struct {
	Records map[string]json.RawMessage `json:"records"`
	Cases   []struct {
		Name, Judge, By, Directory, Record, Expected string
		At                                           moment
		Seen                                         struct{ Root, Directory int64 }
	} `json:"cases"`
}

// TestGoldenDeliveries judges every delivery of these families as schemas/vectors says it must be judged.
func TestGoldenDeliveries(t *testing.T) {
	var made world
	loadFile(t, "world.json", &made)
	for _, name := range families {
		var given family
		loadFile(t, name+".json", &given)
		for _, each := range given.Cases {
			if each.Judge != "acceptance" {
				continue
			}
			t.Run(name+"/"+each.Name, func(t *testing.T) {
				p := made.province(t, each.By, each.Directory)
				found := p.outcome(bytesOf(t, given.Records[each.Record]), each.At.Time)
				if found != each.Expected {
					t.Errorf("expected %s, found %s", each.Expected, found)
				}
			})
		}
	}
}

// TestGoldenTrustFiles judges every trust file: whether its directory may be used from now on.
func TestGoldenTrustFiles(t *testing.T) {
	var made world
	loadFile(t, "world.json", &made)
	var given family
	loadFile(t, "documents.json", &given)
	for _, each := range given.Cases {
		t.Run(each.Name, func(t *testing.T) {
			p := &province{network: made.Network}
			var err error
			if p.pinned, err = pin(made.PinnedRoot, made.Network); err != nil {
				t.Fatal(err)
			}
			found := "trusted"
			directory, err := p.verifiedDirectory(bytesOf(t, given.Records[each.Record]), each.Seen.Root)
			switch {
			case err != nil:
				found, _, _ = strings.Cut(err.Error(), ":")
			case directory.Version < each.Seen.Directory:
				found = "TB-222"
			case !each.At.Before(directory.ExpiresAt.Time):
				found = "TB-223"
			}
			if found != each.Expected {
				t.Errorf("expected %s, found %s (%v)", each.Expected, found, err)
			}
		})
	}
}

// outcome is what became of a delivery, in the words of schemas/vectors/README.md.
func (p *province) outcome(value []byte, now time.Time) string {
	found, err := p.verified(context.Background(), value, now)
	if err == nil && found.Sealed != nil {
		_, err = p.open(found)
	}
	if err != nil {
		word, _, _ := strings.Cut(err.Error(), ":")
		return word
	}
	if found.Type == "head" {
		return "head"
	}
	return "accept"
}

func (w *world) province(t *testing.T, code, version string) *province {
	p := &province{code: code, network: w.Network, sealKeys: map[string]hpke.PrivateKey{}}
	p.follow = func(context.Context) error { return nil }
	var err error
	if p.pinned, err = pin(w.PinnedRoot, w.Network); err != nil {
		t.Fatal(err)
	}
	if p.directory, err = p.verifiedDirectory(w.Trust[version], 0); err != nil {
		t.Fatal(err)
	}
	secret, err := hex.DecodeString(w.Secrets[code+" seal"])
	if err != nil {
		t.Fatal(err)
	}
	own, err := ecdh.X25519().NewPrivateKey(secret)
	if err != nil {
		t.Fatal(err)
	}
	if p.sealKeys[hex.EncodeToString(hash(own.PublicKey().Bytes()))], err = hpke.NewDHKEMPrivateKey(own); err != nil {
		t.Fatal(err)
	}
	return p
}

// bytesOf: base64, or pieces of it, each repeated.
func bytesOf(t *testing.T, given json.RawMessage) []byte {
	var whole string
	if json.Unmarshal(given, &whole) == nil {
		return raw(t, whole)
	}
	var pieces []struct {
		Base64 string
		Times  int
	}
	if err := json.Unmarshal(given, &pieces); err != nil {
		t.Fatal(err)
	}
	var data []byte
	for _, piece := range pieces {
		data = append(data, bytes.Repeat(raw(t, piece.Base64), max(piece.Times, 1))...)
	}
	return data
}

func raw(t *testing.T, text string) []byte {
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func loadFile(t *testing.T, name string, into any) {
	data, err := os.ReadFile(filepath.Join(vectors, name))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, into); err != nil {
		t.Fatal(err)
	}
}
