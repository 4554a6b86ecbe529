import java.io.FileReader;
import java.time.Duration;
import java.util.List;
import java.util.Properties;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/**
 * Reads a topic from its beginning with the client.properties of the folder it is started in, and says how many
 * records there are. Nothing in them is believed here: docs/protocol.md, section 10, says what comes next.
 *
 * <pre>java -cp KAFKA_CLIENTS ReadIn.java prov.610000.in.v1</pre>
 */
public class ReadIn {
    private static final Duration WAIT = Duration.ofMillis(500);
    private static final int TRIES = 20;

    public static void main(String[] arguments) throws Exception {
        Properties settings = new Properties();
        try (FileReader file = new FileReader("client.properties")) {
            settings.load(file);
        }
        ByteArrayDeserializer bytes = new ByteArrayDeserializer();
        TopicPartition topic = new TopicPartition(arguments[0], 0);
        try (KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(settings, bytes, bytes)) {
            consumer.assign(List.of(topic));
            consumer.seekToBeginning(List.of(topic));
            int count = 0;
            for (int tries = 0; tries < TRIES && count == 0; tries++) {
                count = consumer.poll(WAIT).count();
            }
            System.out.println(count);
        }
    }
}
