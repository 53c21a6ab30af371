// Judges a checkpoint and proofs of a revtrail log with golang.org/x/mod/sumdb, which shares no code with it.
//
//	check VKEY CHECKPOINT                       opens the note, prints tree size and root
//	check VKEY CHECKPOINT inclusion INDEX LEAF  and checks an inclusion proof, hashes in base64 on standard input
//	check VKEY CHECKPOINT consistency OLD       and checks that it continues the checkpoint OLD
//
// Exits with 1 when anything does not hold.
package main

import (
	"bufio"
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
		default:
			check(fmt.Errorf("no such check: %s", os.Args[3]))
		}
	}
	fmt.Println(size, root)
}
