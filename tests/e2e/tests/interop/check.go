// Judges a checkpoint and proofs of a revtrail log with golang.org/x/mod/sumdb, which shares no code with it.
//
//	check VKEY CHECKPOINT                       opens the note, prints tree size and root
//	check VKEY CHECKPOINT inclusion INDEX LEAF  and checks an inclusion proof, hashes in base64 on standard input
//	check VKEY CHECKPOINT consistency OLD       and checks that it continues the checkpoint OLD
//	check VKEY CHECKPOINT cosigned WITNESS      and checks the cosignature of this witness key (0x04)
//
// Exits with 1 when anything does not hold.
package main

import (
	"bufio"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func open(file string, verifiers note.Verifiers) (int64, tlog.Hash) {
	data, err := os.ReadFile(file)
	check(err)
	n, err := note.Open(data, verifiers)
	check(err)
	lines := strings.Split(n.Text, "\n")
	size, err := strconv.ParseInt(lines[1], 10, 64)
	check(err)
	root, err := tlog.ParseHash(lines[2])
	check(err)
	return size, root
}

// witness checks cosignatures as C2SP tlog-cosignature defines them; x/mod knows plain signatures only.
type witness struct {
	name string
	hash uint32
	key  ed25519.PublicKey
}

func newWitness(vkey string) witness {
	fields := strings.SplitN(vkey, "+", 3)
	key, err := base64.StdEncoding.DecodeString(fields[2])
	check(err)
	if key[0] != 4 || len(key) != 33 {
		check(errors.New("not a witness key"))
	}
	sum := sha256.Sum256(append([]byte(fields[0]+"\n"), key...))
	hash := binary.BigEndian.Uint32(sum[:])
	if fmt.Sprintf("%08x", hash) != fields[1] {
		check(errors.New("wrong key id"))
	}
	return witness{fields[0], hash, key[1:]}
}

func (w witness) Name() string    { return w.name }
func (w witness) KeyHash() uint32 { return w.hash }
func (w witness) Verify(msg, sig []byte) bool {
	if len(sig) != 72 {
		return false
	}
	header := fmt.Sprintf("cosignature/v1\ntime %d\n", binary.BigEndian.Uint64(sig))
	return ed25519.Verify(w.key, append([]byte(header), msg...), sig[8:])
}

func hashes() []tlog.Hash {
	var out []tlog.Hash
	scanner := bufio.NewScanner(os.Stdin)
	for scanner.Scan() {
		hash, err := tlog.ParseHash(scanner.Text())
		check(err)
		out = append(out, hash)
	}
	return out
}

func main() {
	verifier, err := note.NewVerifier(os.Args[1])
	check(err)
	verifiers := note.VerifierList(verifier)
	size, root := open(os.Args[2], verifiers)
	if len(os.Args) > 3 {
		switch os.Args[3] {
		case "inclusion":
			index, err := strconv.ParseInt(os.Args[4], 10, 64)
			check(err)
			leaf, err := os.ReadFile(os.Args[5])
			check(err)
			check(tlog.CheckRecord(tlog.RecordProof(hashes()), size, root, index, tlog.RecordHash(leaf)))
		case "consistency":
			oldSize, oldRoot := open(os.Args[4], verifiers)
			check(tlog.CheckTree(tlog.TreeProof(hashes()), size, root, oldSize, oldRoot))
		case "cosigned":
			data, err := os.ReadFile(os.Args[2])
			check(err)
			n, err := note.Open(data, note.VerifierList(newWitness(os.Args[4])))
			check(err)
			if len(n.Sigs) != 1 {
				check(fmt.Errorf("%d cosignatures", len(n.Sigs)))
			}
		default:
			check(fmt.Errorf("no such check: %s", os.Args[3]))
		}
	}
	fmt.Println(size, root)
}
