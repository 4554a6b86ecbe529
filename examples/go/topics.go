package main

import (
	"context"
	"crypto/ecdh"
	"crypto/ed25519"
	"crypto/hpke"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"

	"github.com/twmb/franz-go/pkg/kgo"
)

const exchange = "100000"

var setting = regexp.MustCompile(`(?m)^(\w+) = "([^"]*)"$`)

// province is who we are: the folder's keys and documents, and the way to the broker.
type province struct {
	folder     string
	code       string
	network    string
	bootstrap  string
	pinned     *root
	directory  *directory
	newestRoot int64
	follow     func(context.Context) error
	messageKey ed25519.PrivateKey
	sealKeys   map[string]hpke.PrivateKey
	tls        *tls.Config
}

func inTopic(code string) string { return "prov." + code + ".in.v1" }

func load(folder string) (*province, error) {
	text, err := os.ReadFile(filepath.Join(folder, "participant.toml"))
	if err != nil {
		return nil, err
	}
	p := &province{folder: folder, sealKeys: map[string]hpke.PrivateKey{}}
	p.follow = p.followDirectory
	for _, each := range setting.FindAllStringSubmatch(string(text), -1) {
		switch each[1] {
		case "code":
			p.code = each[2]
		case "network":
			p.network = each[2]
		case "bootstrap":
			p.bootstrap = each[2]
		}
	}
	given, err := os.ReadFile(filepath.Join(folder, "pinned-root.json"))
	if err != nil {
		return nil, err
	}
	if p.pinned, err = pin(given, p.network); err != nil {
		return nil, err
	}
	loaded, err := privateKey(filepath.Join(folder, "keys", "message.pem"))
	if err != nil {
		return nil, err
	}
	var ok bool
	if p.messageKey, ok = loaded.(ed25519.PrivateKey); !ok {
		return nil, errors.New("keys/message.pem holds no Ed25519 key")
	}
	p.tls, err = p.mutualTLS()
	return p, err
}

// mutualTLS: our certificate with its key, and nobody's word but the one authority's.
func (p *province) mutualTLS() (*tls.Config, error) {
	file := filepath.Join(p.folder, "tls.pem")
	own, err := tls.LoadX509KeyPair(file, file)
	if err != nil {
		return nil, err
	}
	ca, err := os.ReadFile(filepath.Join(p.folder, "ca.pem"))
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(ca) {
		return nil, errors.New("ca.pem holds no certificate")
	}
	return &tls.Config{Certificates: []tls.Certificate{own}, RootCAs: pool, MinVersion: tls.VersionTLS13}, nil
}

// sealKey is the private half of that name; the folder is read again for one that isn't known yet.
func (p *province) sealKey(kid string) (hpke.PrivateKey, error) {
	if found, known := p.sealKeys[kid]; known {
		return found, nil
	}
	files, err := filepath.Glob(filepath.Join(p.folder, "keys", "seal", "*.pem"))
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		loaded, err := privateKey(file)
		if err != nil {
			return nil, err
		}
		own, ok := loaded.(*ecdh.PrivateKey)
		if !ok {
			return nil, fmt.Errorf("%s holds no X25519 key", file)
		}
		if p.sealKeys[hex.EncodeToString(hash(own.PublicKey().Bytes()))], err = hpke.NewDHKEMPrivateKey(own); err != nil {
			return nil, err
		}
	}
	if found, known := p.sealKeys[kid]; known {
		return found, nil
	}
	return nil, fmt.Errorf("hold: the seal key %s isn't in keys/seal", kid)
}

func privateKey(file string) (any, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(data)
	if block == nil {
		return nil, fmt.Errorf("%s holds no PEM", file)
	}
	return x509.ParsePKCS8PrivateKey(block.Bytes)
}

// topicReader reads the one partition of a topic from its beginning: no group, no commits at the broker.
type topicReader struct {
	*kgo.Client
	offset int64
	end    int64
}

func (p *province) reader(topic string) (*topicReader, error) {
	start := map[string]map[int32]kgo.Offset{topic: {0: kgo.NewOffset().AtStart()}}
	client, err := p.client(kgo.ConsumePartitions(start))
	return &topicReader{Client: client, end: -1}, err
}

func (p *province) client(options ...kgo.Opt) (*kgo.Client, error) {
	common := []kgo.Opt{kgo.SeedBrokers(p.bootstrap), kgo.ClientID("example-go-" + p.code), kgo.DialTLSConfig(p.tls)}
	return kgo.NewClient(append(common, options...)...)
}

// next gives what comes next, and waits for it. The error is the context's when nothing comes in time.
func (r *topicReader) next(ctx context.Context) ([][]byte, error) {
	fetches := r.PollFetches(ctx)
	for _, each := range fetches.Errors() {
		return nil, each.Err
	}
	var values [][]byte
	fetches.EachPartition(func(partition kgo.FetchTopicPartition) {
		r.end = partition.HighWatermark
		for _, each := range partition.Records {
			r.offset = each.Offset + 1
			values = append(values, each.Value)
		}
	})
	return values, nil
}

// atEnd: everything that lay in the topic at the last look has been read.
func (r *topicReader) atEnd() bool { return r.end >= 0 && r.offset >= r.end }

// write puts a record into our `out` topic: idempotent, acknowledged by all replicas in step, uncompressed.
func (p *province) write(ctx context.Context, value []byte) error {
	client, err := p.client(kgo.ProducerBatchCompression(kgo.NoCompression()), kgo.RequiredAcks(kgo.AllISRAcks()))
	if err != nil {
		return err
	}
	defer client.Close()
	return client.ProduceSync(ctx, &kgo.Record{Topic: "prov." + p.code + ".out.v1", Partition: 0, Value: value}).FirstErr()
}
