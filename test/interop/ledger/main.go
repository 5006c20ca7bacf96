// Checks a ledger folder with the packages that check Go's own checksum database: its checkpoint as a signed note, its
// tiles, an inclusion proof of every entry, and that it continues an older checkpoint. Says nothing and exits with 0 where
// all of it holds, else what does not, with 1.
package main

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// 256 hashes in a full tile (C2SP tlog-tiles).
const height = 8

func main() {
	vkey := flag.String("vkey", "", "verifier key of the ledger")
	folder := flag.String("ledger", "", "folder with checkpoint and tile/")
	files := flag.String("files", "", "folder in which the files lie that entries name; without it they are not looked at")
	older := flag.String("older", "", "file with an older checkpoint that the ledger has to continue")
	proof := flag.String("proof", "", "file with a consistency proof from that one, a base64 hash on each line, to be checked too")
	flag.Parse()
	if err := check(*vkey, *folder, *files, *older, *proof); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

func check(vkey, folder, files, older, proof string) error {
	tree, err := openCheckpoint(filepath.Join(folder, "checkpoint"), vkey)
	if err != nil {
		return err
	}
	// Every hash that it gives out leads to the root of the tree.
	hashes := tlog.TileHashReader(tree, tileFolder(folder))
	if err := checkTree(tree, hashes, tileFolder(folder)); err != nil {
		return err
	}
	entries, err := readEntries(folder, tree.N)
	if err != nil {
		return err
	}
	if err := checkEntries(entries, tree, hashes); err != nil {
		return err
	}
	if err := checkFileSet(folder, tree.N); err != nil {
		return err
	}
	if files != "" {
		if err := checkFiles(entries, files); err != nil {
			return err
		}
	}
	if older == "" {
		return nil
	}
	return checkGrowth(tree, hashes, older, vkey, proof)
}

func openCheckpoint(file, vkey string) (tlog.Tree, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return tlog.Tree{}, err
	}
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return tlog.Tree{}, fmt.Errorf("the verifier key: %w", err)
	}
	signed, err := note.Open(text, note.VerifierList(verifier))
	if err != nil {
		return tlog.Tree{}, fmt.Errorf("%s: %w", file, err)
	}
	lines := strings.Split(signed.Text, "\n")
	if len(lines) != 4 || lines[0] != verifier.Name() || lines[3] != "" || len(signed.UnverifiedSigs) > 0 {
		return tlog.Tree{}, fmt.Errorf("%s: is not a checkpoint of %s", file, verifier.Name())
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return tlog.Tree{}, fmt.Errorf("%s: %w", file, err)
	}
	root, err := tlog.ParseHash(lines[2])
	if err != nil {
		return tlog.Tree{}, fmt.Errorf("%s: %w", file, err)
	}
	return tlog.Tree{N: size, Hash: root}, nil
}

// tileFolder reads tiles as tlog-tiles lays them out: as tlog does, but for the height in their paths.
type tileFolder string

func (tileFolder) Height() int                     { return height }
func (tileFolder) SaveTiles([]tlog.Tile, [][]byte) {}

func (folder tileFolder) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, tile := range tiles {
		data, err := os.ReadFile(filepath.Join(string(folder), pathOf(tile)))
		if err != nil {
			return nil, err
		}
		if len(data) != tile.W*tlog.HashSize {
			return nil, fmt.Errorf("%s: has %d bytes", pathOf(tile), len(data))
		}
		all = append(all, data)
	}
	return all, nil
}

func pathOf(tile tlog.Tile) string {
	path := strings.Replace(tile.Path(), fmt.Sprintf("tile/%d/", tile.H), "tile/", 1)
	return strings.Replace(path, "tile/data/", "tile/entries/", 1)
}

// tilesOf lists the tiles of one level of a tree; level -1 are the entry bundles.
func tilesOf(level int, size int64) []tlog.Tile {
	count := size
	for range level {
		count >>= height
	}
	var tiles []tlog.Tile
	for n := int64(0); n<<height < count; n++ {
		tiles = append(tiles, tlog.Tile{H: height, L: level, N: n, W: int(min(1<<height, count-n<<height))})
	}
	return tiles
}

func checkTree(tree tlog.Tree, hashes tlog.HashReader, folder tileFolder) error {
	root, err := tlog.TreeHash(tree.N, hashes)
	if err != nil {
		return err
	}
	if root != tree.Hash {
		return errors.New("the tiles have another root than the checkpoint")
	}
	for level := 0; ; level++ {
		tiles := tilesOf(level, tree.N)
		if len(tiles) == 0 {
			return nil
		}
		for _, tile := range tiles {
			if err := checkTile(tile, hashes, folder); err != nil {
				return fmt.Errorf("%s: %w", pathOf(tile), err)
			}
		}
	}
}

// checkTile compares each hash of a tile with what leads to the root.
func checkTile(tile tlog.Tile, hashes tlog.HashReader, folder tileFolder) error {
	data, err := folder.ReadTiles([]tlog.Tile{tile})
	if err != nil {
		return err
	}
	indexes := indexesOf(tile)
	known, err := hashes.ReadHashes(indexes)
	if err != nil {
		return err
	}
	for at, index := range indexes {
		found, err := tlog.HashFromTile(tile, data[0], index)
		if err != nil {
			return err
		}
		if found != known[at] {
			return fmt.Errorf("hash %d does not lead to the root", at)
		}
	}
	return nil
}

// indexesOf gives the places of a tile's hashes among all of the tree.
func indexesOf(tile tlog.Tile) []int64 {
	var indexes []int64
	for at := range tile.W {
		indexes = append(indexes, tlog.StoredHashIndex(tile.L*height, tile.N<<height+int64(at)))
	}
	return indexes
}

func readEntries(folder string, size int64) ([][]byte, error) {
	var entries [][]byte
	for _, tile := range tilesOf(-1, size) {
		data, err := os.ReadFile(filepath.Join(folder, pathOf(tile)))
		if err != nil {
			return nil, err
		}
		for range tile.W {
			if len(data) < 2 || len(data) < 2+int(binary.BigEndian.Uint16(data)) {
				return nil, fmt.Errorf("%s: ends within an entry", pathOf(tile))
			}
			end := 2 + int(binary.BigEndian.Uint16(data))
			entries = append(entries, data[2:end])
			data = data[end:]
		}
		if len(data) > 0 {
			return nil, fmt.Errorf("%s: goes on after its entries", pathOf(tile))
		}
	}
	return entries, nil
}

// checkEntries compares each entry with its leaf, and proves each of them to be in the tree; of very many, one in a few.
func checkEntries(entries [][]byte, tree tlog.Tree, hashes tlog.HashReader) error {
	for _, tile := range tilesOf(0, tree.N) {
		leaves, err := hashes.ReadHashes(indexesOf(tile))
		if err != nil {
			return err
		}
		for at, leaf := range leaves {
			if entry := tile.N<<height + int64(at); tlog.RecordHash(entries[entry]) != leaf {
				return fmt.Errorf("entry %d is not the one that its leaf is over", entry)
			}
		}
	}
	for at := int64(0); at < tree.N; at += 1 + tree.N/1000 {
		proof, err := tlog.ProveRecord(tree.N, at, hashes)
		if err != nil {
			return fmt.Errorf("entry %d: %w", at, err)
		}
		if err := tlog.CheckRecord(proof, tree.N, tree.Hash, at, tlog.RecordHash(entries[at])); err != nil {
			return fmt.Errorf("entry %d: %w", at, err)
		}
	}
	return nil
}

// checkFileSet finds files in the ledger that its checkpoint does not cover.
func checkFileSet(folder string, size int64) error {
	expected := map[string]bool{"checkpoint": true}
	for level := -1; level < 0 || len(tilesOf(level, size)) > 0; level++ {
		for _, tile := range tilesOf(level, size) {
			expected[pathOf(tile)] = true
		}
	}
	return filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		inside, err := filepath.Rel(folder, path)
		if err == nil && !expected[filepath.ToSlash(inside)] {
			return fmt.Errorf("%s: is no part of the ledger", inside)
		}
		return err
	})
}

// checkFiles compares the files that entries name with the digests that they name.
func checkFiles(entries [][]byte, folder string) error {
	for at, entry := range entries {
		var segment struct{ File, FileSha256 string }
		if err := json.Unmarshal(entry, &segment); err != nil {
			return fmt.Errorf("entry %d: %w", at, err)
		}
		data, err := os.ReadFile(filepath.Join(folder, filepath.FromSlash(segment.File)))
		if err != nil {
			return err
		}
		if fmt.Sprintf("%x", sha256.Sum256(data)) != segment.FileSha256 {
			return fmt.Errorf("%s: has another SHA-256 than entry %d says", segment.File, at)
		}
	}
	return nil
}

func checkGrowth(tree tlog.Tree, hashes tlog.HashReader, older, vkey, proofFile string) error {
	before, err := openCheckpoint(older, vkey)
	if err != nil {
		return err
	}
	proof, err := tlog.ProveTree(tree.N, before.N, hashes)
	if err != nil {
		return fmt.Errorf("%s: %w", older, err)
	}
	if err := tlog.CheckTree(proof, tree.N, tree.Hash, before.N, before.Hash); err != nil {
		return fmt.Errorf("%s: is not continued: %w", older, err)
	}
	if proofFile == "" {
		return nil
	}
	given, err := readProof(proofFile)
	if err != nil {
		return err
	}
	if err := tlog.CheckTree(given, tree.N, tree.Hash, before.N, before.Hash); err != nil {
		return fmt.Errorf("%s: %w", proofFile, err)
	}
	return nil
}

func readProof(file string) (tlog.TreeProof, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var proof tlog.TreeProof
	for line := range strings.Lines(string(text)) {
		data, err := base64.StdEncoding.DecodeString(strings.TrimSuffix(line, "\n"))
		if err != nil || len(data) != tlog.HashSize {
			return nil, fmt.Errorf("%s: holds something else than hashes", file)
		}
		proof = append(proof, tlog.Hash(data))
	}
	return proof, nil
}
