// Command client takes part in Tongbao for a province with a system of its own, without any of our libraries:
// it reads and verifies everything in the province's `in` topic, opens what is sealed to it, and with a
// submission sends an alert and waits until it is logged, settled and delivered.
//
//	go run . FOLDER [SUBMISSION]
//
// FOLDER is what `tongbao init --external CODE` made. One JSON object on standard output says what was found;
// bodies are opened and checked, never printed. Section numbers in comments are those of docs/protocol.md.
//
// It is an example to read. A system in service also keeps offsets, seq and the bytes of its messages in its
// own database, answers with receipts, and checks every rule of sections 5, 10 and 12: here the header's
// patterns, the policy (step 13), references and the body's model are left out.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/go-json-experiment/json"
)

const patience = 90 * time.Second

// told is what the program says on standard output.
type told struct {
	Read      int      `json:"read"`
	Opened    int      `json:"opened"`
	Heads     int      `json:"heads"`
	PassedBy  []string `json:"passed_by"`
	ID        string   `json:"id,omitzero"`
	Number    string   `json:"number,omitzero"`
	Kind      string   `json:"kind,omitzero"`
	Code      string   `json:"code,omitzero"`
	Index     *int64   `json:"index,omitzero"`
	Settled   bool     `json:"settled"`
	Delivered []string `json:"delivered"`
}

func main() {
	if len(os.Args) < 2 || len(os.Args) > 3 {
		fail(fmt.Errorf("usage: client FOLDER [SUBMISSION]"))
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	said, err := run(ctx, os.Args[1], os.Args[2:])
	if err != nil {
		fail(err)
	}
	data, err := json.Marshal(said)
	if err != nil {
		fail(err)
	}
	fmt.Println(string(data))
	if said.Code != "" {
		os.Exit(65)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func run(ctx context.Context, folder string, submissions []string) (*told, error) {
	province, err := load(folder)
	if err != nil {
		return nil, err
	}
	if err := province.followDirectory(ctx); err != nil {
		return nil, err
	}
	arriving, err := province.reader(inTopic(province.code))
	if err != nil {
		return nil, err
	}
	defer arriving.Close()
	said := &told{PassedBy: []string{}, Delivered: []string{}}
	head, err := readToEnd(ctx, province, arriving, said)
	if err != nil || len(submissions) == 0 {
		return said, err
	}
	return said, send(ctx, province, arriving, head, submissions[0], said)
}

// readToEnd reads what lies in the topic and at least one head; the newest head says where the exchange stands.
func readToEnd(ctx context.Context, p *province, arriving *topicReader, said *told) (*message, error) {
	var head *message
	for head == nil || !arriving.atEnd() {
		values, err := arriving.next(ctx)
		if err != nil {
			return nil, fmt.Errorf("%w; passed by: %q", err, said.PassedBy)
		}
		for _, value := range values {
			if found := take(ctx, p, value, said); found != nil && found.Type == "head" {
				head = found
			}
		}
	}
	return head, nil
}

// take verifies one record, and opens it where it has a body; nil for what doesn't hold, which is passed by.
func take(ctx context.Context, p *province, value []byte, said *told) *message {
	said.Read++
	found, err := p.verified(ctx, value, time.Now())
	if err == nil && found.Sealed != nil {
		if _, err = p.open(found); err == nil {
			said.Opened++
		}
	}
	if errors.Is(err, errPassed) {
		return nil
	}
	if err != nil {
		said.PassedBy = append(said.PassedBy, err.Error())
		return nil
	}
	if found.Type == "head" {
		said.Heads++
	}
	return found
}

// send writes one alert and waits for the three answers of section 11: notice, head and receipts.
func send(ctx context.Context, p *province, arriving *topicReader, head *message, file string, said *told) error {
	value, sent, err := p.compose(file, head, time.Now())
	if err != nil {
		return err
	}
	said.ID, said.Number = sent.ID, sent.Number
	if err := p.write(ctx, value); err != nil {
		return err
	}
	for !said.done(sent) && said.Code == "" {
		values, err := arriving.next(ctx)
		if err != nil {
			return fmt.Errorf("%w; passed by: %q", err, said.PassedBy)
		}
		for _, value := range values {
			if found := take(ctx, p, value, said); found != nil {
				said.note(found, sent)
			}
		}
	}
	return nil
}

func (said *told) done(sent *message) bool {
	return said.Index != nil && said.Settled && len(said.Delivered) == len(sent.Audience)
}

// note takes down what an arrived message says of the alert that was sent.
func (said *told) note(found, sent *message) {
	switch found.Type {
	case "notice":
		if found.Content.Of == sent.ID {
			said.Kind, said.Code, said.Index = found.Content.Kind, found.Content.Code, found.Content.Index
		}
	case "head":
		said.Settled = said.Settled || found.Content.SettledSeq >= sent.Seq
	case "receipt":
		for _, item := range found.Content.Items {
			if item.Of == sent.ID && item.Stage == "delivered" && !slices.Contains(said.Delivered, found.Origin) {
				said.Delivered = append(said.Delivered, found.Origin)
			}
		}
	}
}
