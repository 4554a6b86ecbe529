package main

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"unicode"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"golang.org/x/text/unicode/norm"
)

const (
	outLimit     = 524_288
	inLimit      = 1_048_576
	payloadLimit = 393_216
	deepest      = 16
	largest      = 1<<53 - 1
)

var (
	wholeNumber = regexp.MustCompile(`^-?(0|[1-9][0-9]*)$`)
	invisible   = map[rune]bool{0xAD: true, 0x61C: true, 0x200B: true, 0x200E: true, 0x200F: true, 0x2060: true, 0xFEFF: true}
)

// read passes a text through the gate of section 2 and then into a struct, which takes no unknown member.
func read(data []byte, limit int, into any) error {
	if err := gate(data, limit); err != nil {
		return err
	}
	return json.Unmarshal(data, into, json.RejectUnknownMembers(true))
}

// gate checks size, UTF-8, duplicate keys, depth, numbers and characters. The decoder itself refuses lone
// surrogates and duplicate keys.
func gate(data []byte, limit int) error {
	if len(data) > limit {
		return fmt.Errorf("TB-101: %d bytes", len(data))
	}
	if !utf8.Valid(data) {
		return errors.New("TB-102: no UTF-8")
	}
	decoder := jsontext.NewDecoder(bytes.NewReader(data))
	if decoder.PeekKind() != '{' {
		return errors.New("TB-103: no JSON object")
	}
	for {
		token, err := decoder.ReadToken()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if errors.Is(err, jsontext.ErrDuplicateName) {
			return errors.New("TB-104: a key twice")
		}
		if err != nil {
			return errors.New("TB-103: no JSON")
		}
		if decoder.StackDepth() > deepest {
			return errors.New("TB-106: too deep")
		}
		if decoder.StackDepth() == 0 && decoder.InputOffset() < int64(len(bytes.TrimRight(data, " \t\r\n"))) {
			return errors.New("TB-103: more than one value")
		}
		if err := checkToken(token); err != nil {
			return err
		}
	}
}

func checkToken(token jsontext.Token) error {
	switch token.Kind() {
	case 'n':
		return errors.New("TB-114: null")
	case '0':
		number, err := strconv.ParseInt(token.String(), 10, 64)
		if !wholeNumber.MatchString(token.String()) || err != nil || number > largest || number < -largest {
			return errors.New("TB-105: a number that is not whole or too large")
		}
	case '"':
		return checkText(token.String())
	}
	return nil
}

func checkText(text string) error {
	if !norm.NFC.IsNormalString(text) {
		return errors.New("TB-108: not in normal form C")
	}
	for _, each := range text {
		switch {
		case each == '\n':
		case unicode.Is(unicode.Cc, each), invisible[each], unicode.Is(unicode.Noncharacter_Code_Point, each),
			each >= 0x2028 && each <= 0x202E, each >= 0x2066 && each <= 0x2069:
			return errors.New("TB-107: a control or invisible character")
		}
	}
	return nil
}

// decode reads canonical base64: Go's decoder skips CR and LF, so the text is made again and compared.
func decode(text string) ([]byte, error) {
	data, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil || base64.StdEncoding.EncodeToString(data) != text {
		return nil, errors.New("TB-110: base64")
	}
	return data, nil
}
