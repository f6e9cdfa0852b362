// SPDX-License-Identifier: 0BSD

// Sends its arguments to an echo server, each as one message.
//
// Run:
//
//	seqpacket-echo --listen /tmp/echo.sock &
//	go run echo-client.go unixpacket /tmp/echo.sock one "" three
//
// For unixgram-echo use unixgram, for unixstream-echo use unix. The address may
// be an abstract name, @echo.
//
// See:
//
//	answer of 3 bytes: one
//	answer of 0 bytes:
//	answer of 5 bytes: three
package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"time"
)

const largest = 1 << 20
const patience = 5 * time.Second

// dial gives a datagram client a name: the server could not answer without one.
// A connected socket receives from the server only.
func dial(network, text string) (*net.UnixConn, error) {
	var own *net.UnixAddr
	if network == "unixgram" {
		name := fmt.Sprintf("@echo-client-%d", os.Getpid())
		own = &net.UnixAddr{Name: name, Net: network}
	}
	conn, err := net.DialUnix(network, own, &net.UnixAddr{Name: text, Net: network})
	if err != nil {
		return nil, err
	}
	if network == "unixpacket" {
		err = askForCredentials(conn)
	}
	return conn, err
}

// askForCredentials distinguishes empty messages from the end: then each message
// comes with credentials, and the end without.
func askForCredentials(conn *net.UnixConn) error {
	raw, err := conn.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	err = raw.Control(func(fd uintptr) {
		failed = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET,
			syscall.SO_PASSCRED, 1)
	})
	if err != nil {
		return err
	}
	return failed
}

func send(conn *net.UnixConn, network string, message []byte) error {
	if network == "unix" {
		head := make([]byte, 4)
		binary.BigEndian.PutUint32(head, uint32(len(message)))
		message = append(head, message...)
	}
	_, err := conn.Write(message)
	return err
}

func receiveFrame(conn *net.UnixConn) ([]byte, error) {
	var size uint32
	if err := binary.Read(conn, binary.BigEndian, &size); err != nil {
		return nil, err
	}
	if size > largest {
		return nil, errors.New("an answer is too big")
	}
	data := make([]byte, size)
	_, err := io.ReadFull(conn, data)
	return data, err
}

// receiveMessage returns an empty message where Go reports the end.
func receiveMessage(conn *net.UnixConn) ([]byte, error) {
	data := make([]byte, largest)
	control := make([]byte, 128)
	size, controlSize, flags, _, err := conn.ReadMsgUnix(data, control)
	if errors.Is(err, io.EOF) && controlSize > 0 {
		err = nil
	}
	if err == nil && flags&syscall.MSG_TRUNC != 0 {
		err = errors.New("an answer was too big, and cut")
	}
	return data[:size], err
}

func exchange(conn *net.UnixConn, network string, message []byte) ([]byte, error) {
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return nil, err
	}
	if err := send(conn, network, message); err != nil {
		return nil, err
	}
	if network == "unix" {
		return receiveFrame(conn)
	}
	return receiveMessage(conn)
}

func talk(network, text string, messages []string) error {
	conn, err := dial(network, text)
	if err != nil {
		return err
	}
	defer conn.Close()
	for _, message := range messages {
		answer, err := exchange(conn, network, []byte(message))
		if err != nil {
			return err
		}
		fmt.Printf("answer of %d bytes: %s\n", len(answer), answer)
	}
	return nil
}

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr,
			"usage: echo-client unixgram|unixpacket|unix ADDRESS MESSAGE...")
		os.Exit(1)
	}
	if err := talk(os.Args[1], os.Args[2], os.Args[3:]); err != nil {
		fmt.Fprintln(os.Stderr, "echo-client:", err)
		os.Exit(1)
	}
}
